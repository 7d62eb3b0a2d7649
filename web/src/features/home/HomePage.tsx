import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ArrowUpRight, CircleCheck, LayoutGrid, Play, Rocket, TriangleAlert } from 'lucide-react'
import { makingPaths } from '~/api/golden-paths'
import { entitiesQuery, matrixQuery, meQuery, recentRunsQuery, templatesQuery } from '~/api/queries'
import { entityRef, splitRef, titleOf } from '~/api/refs'
import type { Cell, Entity, Matrix } from '~/api/types'
import { cellState } from '~/components/cell-state'
import { Await } from '~/components/RouteStates'
import { KindIcon } from '~/ui/KindIcon'
import { Ago, EmptyState, Page, PageHeader, Panel } from '~/ui/parts'
import { Dot, StepIcon } from '~/ui/Status'
import s from './home.module.css'

const partOfDay = (h: number) => (h < 5 ? 'evening' : h < 12 ? 'morning' : h < 18 ? 'afternoon' : 'evening')
type Trouble = { key: string; title: string; detail: string; to: string }
function troubles(matrix: Matrix | undefined, mine: Set<string>): Trouble[] {
  return (matrix?.services ?? []).flatMap((row) =>
    Object.entries(row.cells).flatMap(([env, cell]) =>
      cell && mine.has(row.ref) && cellState(cell).tone === 'bad'
        ? [
            {
              key: row.ref + env,
              title: `${row.title} in ${env}: ${cellState(cell).text}`,
              detail: cell.message || `version ${cell.version}`,
              to: `/runs/${cell.run_id}`,
            },
          ]
        : [],
    ),
  )
}

export function HomePage() {
  const { data: me } = useQuery(meQuery())
  const owners = me ? [me.ref, ...me.groups] : []
  const mine = useQuery({
    ...entitiesQuery({
      filter: [`kind=component,${owners.map((o) => `relations.ownedBy=${o}`).join(',')}`],
      limit: 50,
      order: 'metadata.name,asc',
    }),
    enabled: Boolean(me),
  })
  const any = useQuery({
    ...entitiesQuery({ filter: ['kind=component'], limit: 50, order: 'metadata.name,asc' }),
    enabled: mine.data?.items.length === 0,
  })
  const own = (mine.data?.items.length ?? 0) > 0
  const templates = useQuery(templatesQuery())
  const runs = useQuery(recentRunsQuery({ limit: 8 }))
  const attention = useQuery(recentRunsQuery({ state: 'needs_attention', limit: 5 }))
  const waiting = useQuery(recentRunsQuery({ state: 'waiting', limit: 20 }))
  const matrix = useQuery({ ...matrixQuery(), retry: false })
  const broken = troubles(matrix.data, new Set((mine.data?.items ?? []).map(entityRef)))
  const approvals = (waiting.data?.items ?? []).filter((r) => r.actions?.includes('approve'))
  const todo = [...(attention.data?.items ?? []), ...approvals]
  const cells = new Map(matrix.data?.services.map((r) => [r.ref, r.cells]))
  return (
    <Page>
      <PageHeader
        title={`Good ${partOfDay(new Date().getHours())}${me ? `, ${me.display_name.split(' ')[0]}` : ''}`}
        sub={todo.length + broken.length ? `${todo.length + broken.length} things need you` : 'Nothing needs you right now'}
        right={
          <Button component={Link} to="/create" leftSection={<Rocket size={15} />}>
            New from a golden path
          </Button>
        }
      />
      <div className={s.grid}>
        <div className={s.col}>
          {(todo.length > 0 || broken.length > 0) && (
            <Panel title="Needs your attention">
              {broken.map((b) => (
                <div key={b.key} className={s.todo}>
                  <span className={s.tico} style={{ color: 'var(--c-bad)', background: 'var(--c-bad-soft)' }}><TriangleAlert size={15} aria-hidden /></span>
                  <div style={{ flex: 1, minWidth: 0 }}>
                    <div style={{ fontWeight: 500 }}>{b.title}</div>
                    <div className="t2 trunc">{b.detail}</div>
                  </div>
                  <Button component={Link} to={b.to} size="xs" variant="default">Open run</Button>
                </div>
              ))}
              {todo.map((r) => (
                <div key={r.id} className={s.todo}>
                  <span className={s.tico} style={{ color: 'var(--c-warn)', background: 'var(--c-warn-soft)' }}>
                    {r.state === 'waiting' ? <CircleCheck size={15} aria-hidden /> : <TriangleAlert size={15} aria-hidden />}
                  </span>
                  <div style={{ flex: 1, minWidth: 0 }}>
                    <div style={{ fontWeight: 500 }} className="trunc">{r.title}</div>
                    <div className="t2">{r.state === 'waiting' ? 'waits for an approval' : 'a step was interrupted: decide how to go on'}</div>
                  </div>
                  <Button component={Link} to={`/runs/${r.id}`} size="xs" variant="default">{r.state === 'waiting' ? 'Review' : 'Decide'}</Button>
                </div>
              ))}
            </Panel>
          )}
          <Panel
            title={own ? 'Your services' : 'Services'}
            right={<Link to="/catalog" search={own ? { kind: 'component', owner: owners } : { kind: 'component' }} className={s.more}>View all</Link>}
          >
            <Await query={mine.data && !own ? any : mine} rows={5}>
              {({ items }) =>
                items.length ? (
                  runningFirst(items, cells).map((e) => <ServiceRow key={entityRef(e)} entity={entityRef(e)} title={titleOf(e)} description={e.metadata.description} cells={cells.get(entityRef(e))} />)
                ) : (
                  <EmptyState icon={LayoutGrid} title="No services yet" compact action={<Button component={Link} to="/create">Create the first one</Button>}>
                    What your teams run appears here.
                  </EmptyState>
                )
              }
            </Await>
          </Panel>
        </div>
        <div className={s.col}>
          <Panel title="Golden paths" right={<Link to="/create" className={s.more}>All templates</Link>}>
            <Await query={templates} rows={3}>
              {({ items }) => (
                <div style={{ padding: 6 }}>
                  {makingPaths(items).slice(0, 4).map((t) => (
                    <Link key={entityRef(t)} to="/create/$namespace/$name" params={{ namespace: t.metadata.namespace ?? 'default', name: t.metadata.name }} className={s.path}>
                      <KindIcon kind="template" size={28} />
                      <div style={{ minWidth: 0, flex: 1 }}>
                        <div style={{ fontWeight: 500 }}>{t.metadata.title ?? t.metadata.name}</div>
                        <div className="t2 trunc">{t.metadata.description}</div>
                      </div>
                      <ArrowUpRight size={15} className="t3" aria-hidden />
                    </Link>
                  ))}
                  {!makingPaths(items).length && <div className="t2" style={{ padding: 10 }}>No golden path is registered.</div>}
                </div>
              )}
            </Await>
          </Panel>
          <Panel title="Recent runs" right={<Link to="/runs" className={s.more}>All runs</Link>}>
            <Await query={runs}>
              {({ items }) =>
                items.length ? (
                  items.map((r) => (
                    <Link key={r.id} to="/runs/$id" params={{ id: r.id }} className={s.run}>
                      <StepIcon state={r.state} />
                      <span className="trunc" style={{ flex: 1, fontWeight: 500 }}>{r.title}</span>
                      <Ago at={r.created_at} className="t3" />
                    </Link>
                  ))
                ) : (
                  <EmptyState icon={Play} title="No runs yet" compact>Everything you start is listed here.</EmptyState>
                )
              }
            </Await>
          </Panel>
        </div>
      </div>
    </Page>
  ) // prettier-ignore
}

const SHOWN = 8
/** What runs somewhere comes before what is only described. */
const runningFirst = (items: Entity[], cells: Map<string, unknown>) =>
  [...items].sort((a, b) => Number(cells.has(entityRef(b))) - Number(cells.has(entityRef(a)))).slice(0, SHOWN)

type RowProps = { entity: string; title: string; description?: string; cells?: Record<string, Cell | undefined> }
function ServiceRow({ entity, title, description, cells }: RowProps) {
  const live = Object.entries(cells ?? {}).filter((c): c is [string, Cell] => Boolean(c[1]))
  return (
    <Link to="/catalog/$kind/$namespace/$name" params={splitRef(entity)} className={s.svc}>
      <KindIcon kind="component" />
      <span style={{ minWidth: 0 }}>
        <span style={{ fontWeight: 500, display: 'block' }} className="trunc">{title}</span>
        <span className="t3 trunc" style={{ display: 'block', fontSize: 12 }}>{description}</span>
      </span>
      <span style={{ display: 'flex', gap: 5 }}>{live.map(([env, c]) => <Dot key={env} tone={cellState(c).tone} title={`${env}: ${c.version}, ${cellState(c).text}`} />)}</span>
      <span className="mono t2 trunc">{live[0]?.[1].version ?? ''}</span>
    </Link>
  ) // prettier-ignore
}
