import { Button, Menu, TextInput } from '@mantine/core'
import { useQuery, useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowRight, Boxes, EllipsisVertical, ExternalLink, Lock, Rocket, RotateCcw, Search, Trash2 } from 'lucide-react'
import { useRef } from 'react'
import { jobsQuery } from '~/api/job-queries'
import { meQuery, matrixQuery } from '~/api/queries'
import { shortRef, splitRef } from '~/api/refs'
import type { Cell, Environment, Job, MatrixRow } from '~/api/types'
import { cellState } from '~/components/cell-state'
import { DestroyModal } from '~/components/DestroyModal'
import { Avatar } from '~/ui/Avatar'
import { useRowKeys } from '~/ui/DataTable'
import { Ago, Cli, EmptyState, Page, PageHeader } from '~/ui/parts'
import { Dot, toneOf, words } from '~/ui/Status'
import { DeployDrawer } from './DeployDrawer'
import s from './matrix.module.css'
import { RollbackDrawer } from './RollbackDrawer'

const route = getRouteApi('/app/environments')

/** What could move here: the release of the environment before, when it differs. */
export function promotable(
  row: MatrixRow,
  environments: Environment[],
  index: number,
): { from: Environment; cell: Cell } | undefined {
  const here = environments[index]
  if (!here) return undefined
  for (let i = index - 1; i >= 0; i--) {
    const from = environments[i]
    const cell = from && row.cells[from.name]
    if (from && cell)
      return cell.release_id !== row.cells[here.name]?.release_id && toneOf(cell.health) === 'ok' ? { from, cell } : undefined
  }
  return undefined
}

export function MatrixPage() {
  const { data } = useSuspenseQuery(matrixQuery())
  const search = route.useSearch()
  const nav = route.useNavigate()
  const { data: me } = useQuery(meQuery())
  const jobs = useQuery({ ...jobsQuery({}), retry: false }).data?.items
  const environments = [...data.environments].sort((a, b) => a.rank - b.rank)
  const needle = (search.q ?? '').toLowerCase()
  const rows = data.services.filter(
    (r) => (!search.service || r.ref === search.service) && `${r.title} ${r.ref} ${r.owner ?? ''}`.toLowerCase().includes(needle),
  )
  const table = useRef<HTMLTableElement>(null)
  const onKeyDown = useRowKeys(table)
  const open = (p: { deploy?: string; rollback?: string; remove?: string }) =>
    void nav({ search: (o) => ({ ...o, deploy: undefined, rollback: undefined, release: undefined, remove: undefined, ...p }) })
  const target = (v: string | undefined) => {
    const at = v?.lastIndexOf('@') ?? -1
    return v && at > 0
      ? {
          row: data.services.find((r) => r.ref === v.slice(0, at)),
          environment: environments.find((e) => e.name === v.slice(at + 1)),
          service: v.slice(0, at),
        }
      : undefined
  }
  const deploy = target(search.deploy)
  const rollback = target(search.rollback)
  const remove = target(search.remove)
  return (
    <Page wide>
      <PageHeader title="Environments" sub="What runs where, and what can move next" />
      <div className={s.bar}>
        <TextInput
          w={220}
          placeholder="Filter services"
          aria-label="Filter services"
          leftSection={<Search size={14} />}
          value={search.q ?? ''}
          onChange={(e) => void nav({ search: (o) => ({ ...o, q: e.target.value || undefined }), replace: true })}
          styles={{ input: { height: 28, minHeight: 28 } }}
        />
        {search.service && <Button size="xs" variant="default" onClick={() => void nav({ search: (o) => ({ ...o, service: undefined }) })}>Only {shortRef(search.service)}: show all</Button>}
        <span style={{ flex: 1 }} />
        <span className={s.legend}><Dot tone="ok" size={7} /> healthy</span>
        <span className={s.legend}><Dot tone="info" size={7} /> rolling out</span>
        <span className={s.legend}><Dot tone="bad" size={7} /> degraded</span>
      </div>
      {rows.length ? (
        <div className={s.wrap} tabIndex={0} role="region" aria-label="Services by environment">
          <table className={s.table} role="table" data-rows ref={table} onKeyDown={onKeyDown}>
            <thead role="rowgroup">
              <tr role="row">
                <th scope="col" role="columnheader" className={s.first}>Service</th>
                {environments.map((e) => (
                  <th key={e.name} scope="col" role="columnheader">
                    <div className={s.envName}>{e.title}{e.production && <Lock size={12} aria-label="production" />}</div>
                    <div className={s.envMeta}>{e.type} · {e.destination}</div>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody role="rowgroup">
              {rows.map((r) => (
                <tr key={r.ref} role="row" data-row>
                  <th scope="row" role="rowheader" className={s.first}>
                    <span className={s.svc}>
                      <Avatar name={shortRef(r.owner ?? r.ref)} square size={22} />
                      <span style={{ minWidth: 0 }}>
                        <Link to="/catalog/$kind/$namespace/$name" params={splitRef(r.ref)} className={s.svcName}>{r.title}</Link>
                        <span className="t3" style={{ fontSize: 11.5 }}>{r.owner ? shortRef(r.owner) : 'no owner'}</span>
                      </span>
                    </span>
                  </th>
                  {environments.map((e, i) => (
                    <td key={e.name} role="cell" data-label={e.title}>
                      <MatrixCell cell={r.cells[e.name]} job={newestJob(jobs, r.ref, e.name)} title={r.title} environment={e} next={promotable(r, environments, i)} onDeploy={() => open({ deploy: `${r.ref}@${e.name}` })} onRollback={() => open({ rollback: `${r.ref}@${e.name}` })} onRemove={() => open({ remove: `${r.ref}@${e.name}` })} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : needle || search.service ? (
        <EmptyState icon={Search} title="No service matches" action={<Button variant="default" onClick={() => void nav({ search: {} })}>Show all</Button>}>
          Services appear here when they have a release.
        </EmptyState>
      ) : (
        <EmptyState icon={Boxes} title="Nothing is deployed" action={<Button component={Link} to="/create">Create a service</Button>}>
          A service appears here with its first release{me ? '' : '; sign in to see yours'}. By command: <Cli>taxiway env list</Cli>
        </EmptyState>
      )}
      {deploy?.environment && <DeployDrawer service={deploy.service} row={deploy.row} environment={deploy.environment} environments={environments} onClose={() => open({})} />}
      {rollback?.environment && <RollbackDrawer service={rollback.service} cell={rollback.row?.cells[rollback.environment.name]} environment={rollback.environment} release={search.release} onClose={() => open({})} />}
      {remove?.environment && <DestroyModal opened entityRef={remove.service} environment={remove.environment} onClose={() => open({})} />}
    </Page>
  ) // prettier-ignore
}

/** The newest job of a scheduled workload: jobs come newest first, and name their service as objects in an environment do. */
function newestJob(jobs: Job[] | undefined, ref: string, environment: string): Job | undefined {
  const { namespace, name } = splitRef(ref)
  const key = namespace === 'default' ? name : `${namespace}--${name}`
  return jobs?.find((j) => j.service === key && j.environment === environment)
}

type CellProps = {
  cell?: Cell
  job?: Job
  title: string
  environment: Environment
  next?: { from: Environment; cell: Cell }
  onDeploy: () => void
  onRollback: () => void
  onRemove: () => void
}
function MatrixCell({ cell, job, title, environment, next, onDeploy, onRollback, onRemove }: CellProps) {
  const promote = next && (
    <button
      type="button"
      className={s.promote}
      title={`Promote ${next.cell.version} from ${next.from.title}`}
      aria-label={`Promote ${title} ${next.cell.version} to ${environment.title}`}
      onClick={onDeploy}
    >
      <ArrowRight size={13} aria-hidden />
      <span className="mono">{next.cell.version}</span>
    </button>
  )
  if (!cell)
    return (
      <div className={s.cell} data-empty>
        <span className="t3">Not deployed</span>
        {promote ?? (
          <Button
            size="xs"
            variant="subtle"
            color="gray"
            className={s.hover}
            aria-label={`Deploy ${title} to ${environment.title}`}
            onClick={onDeploy}
          >
            Deploy
          </Button>
        )}
      </div>
    )
  const { tone, text } = cellState(cell)
  const where = `${title} in ${environment.title}`
  return (
    <div className={s.cell}>
      <Dot tone={tone} title={text} />
      <div style={{ minWidth: 0, flex: 1 }}>
        <button type="button" className={s.ver} onClick={onDeploy} aria-label={`${title} ${cell.version} in ${environment.title}: deploy another release`}>
          <span className="mono trunc">{cell.version}</span>
        </button>
        <div className={s.age}>
          {tone === 'ok' && job ? (
            <span title={job.message || undefined}>job {words(job.state)} <Ago at={job.ended_at ?? job.created_at} /></span>
          ) : tone === 'ok' ? (
            <Ago at={cell.deployed_at} />
          ) : (
            <Link to="/runs/$id" params={{ id: cell.run_id }} style={{ color: tone === 'idle' ? undefined : `var(--c-${tone})` }} title={cell.message ?? undefined}>{text}</Link>
          )}
        </div>
      </div>
      {promote}
      {cell.url && <a className={s.icon} href={cell.url} target="_blank" rel="noreferrer" aria-label={`Open ${where}`} title="Open"><ExternalLink size={13} aria-hidden /></a>}
      <Menu position="bottom-end" width={190}>
        <Menu.Target>
          <button type="button" className={`${s.icon} ${s.hover}`} aria-label={`More for ${where}`} title="More"><EllipsisVertical size={14} aria-hidden /></button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<Rocket size={14} />} onClick={onDeploy}>Deploy another release</Menu.Item>
          <Menu.Item leftSection={<RotateCcw size={14} />} onClick={onRollback}>Roll back</Menu.Item>
          <Menu.Item leftSection={<Trash2 size={14} />} color="red" onClick={onRemove}>Remove from {environment.title}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  ) // prettier-ignore
}
