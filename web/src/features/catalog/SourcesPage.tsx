/** Everything that the catalog reads from: how that went, what waits for a decision, and what lost its source. The URL names the open source. */
import { Button, TextInput } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { CircleCheck, FolderGit2, RefreshCw, Search, Trash2, Unlink } from 'lucide-react'
import { useState } from 'react'
import { ingestSource, reviewSource } from '~/api/mutations'
import { entitiesQuery } from '~/api/queries'
import { entityRef } from '~/api/refs'
import type { Source, SourceDetail } from '~/api/types'
import { EntityLink } from '~/components/EntityLink'
import { notifyDone, notifyError } from '~/components/notify'
import { Await, useRefresh } from '~/components/RouteStates'
import { ShowMore } from '~/components/ShowMore'
import { DataTable } from '~/ui/DataTable'
import { Ago, Cli, EmptyState, Facts, Page, PageHeader, Panel } from '~/ui/parts'
import { StateBadge, StatusBadge } from '~/ui/Status'
import { amount, count } from '~/ui/time'
import { useTyped } from '~/ui/useTyped'
import s from './entity.module.css'
import { pathOf } from './ProvenanceParts'
import { heldQuery, isConfigured, isImport, nameOf, sourceQuery, sourcesQuery, WAITING, waitingQuery } from './source-queries'
import { UnregisterModal } from './UnregisterModal'

const route = getRouteApi('/app/catalog/sources')
const ORPHANS = 'metadata.annotations.backstage.io/orphan=true'
/** What other programs push; nobody can read it from here. */
const pushed = (x: Source) => x.type === 'push'

export function SourcesPage() {
  const { source, q } = route.useSearch()
  const nav = route.useNavigate()
  const query = useInfiniteQuery(sourcesQuery(q))
  const [typed, type] = useTyped({ kept: q, keep: (text) => void nav({ search: (o) => ({ ...o, q: text }), replace: true }) })
  const open = (id: string) =>
    void nav({ search: (o) => ({ ...o, source: id === source ? undefined : id }), replace: true, resetScroll: false })
  const listed = query.data?.pages.flatMap((p) => p.items)
  // a link may name one that is on a later page
  const alone = useQuery({
    ...sourceQuery(source ?? ''),
    enabled: source !== undefined && listed !== undefined && !listed.some((x) => x.id === source),
    retry: false,
  })
  return (
    <Page>
      <PageHeader title="Sources" sub="What the catalog reads from, how that went, and what waits for a decision." right={<Button component={Link} to="/catalog?register=true" size="xs">Register</Button>} />
      <div className={s.side}>
        <Panel title="Sources" icon={FolderGit2} right={<><TextInput placeholder="Filter" aria-label="Filter sources" leftSection={<Search size={14} />} value={typed} maxLength={200} onChange={(e) => type(e.currentTarget.value)} styles={{ input: { height: 28, minHeight: 28 } }} /><Link to="/catalog/problems" className={s.link}>All problems</Link></>}>
          <Await query={query} rows={6}>
            {({ pages }) => {
              const found = pages.flatMap((p) => p.items)
              const items = alone.data && !found.some((x) => x.id === source) ? [alone.data, ...found] : found
              if (!items.length && q) return <EmptyState icon={Search} title="No source has this in its name" compact>Loosen the filter.</EmptyState>
              if (!items.length) return <EmptyState icon={FolderGit2} title="No sources" compact>Register a descriptor, name a source in the settings, or by command: <Cli>taxiway catalog register TARGET</Cli></EmptyState>
              return (
                <DataTable
                  label="Sources"
                  rows={items}
                  rowKey={(x) => x.id}
                  current={(x) => x.id === source}
                  below={(x) => x.id === source && (x.type === 'shipped' ? <Detail source={{ ...x, last_run: null }} /> : <Fetched id={x.id} />)}
                  columns={[
                    { title: 'Source', head: true, cell: (x) => <button type="button" className={s.link} style={{ textAlign: 'left', overflowWrap: 'anywhere' }} aria-expanded={x.id === source} onClick={() => open(x.id)}>{x.target}</button> },
                    { title: 'Type', cell: (x) => <span className="t2">{x.type}</span> },
                    { title: 'State', cell: (x) => <State source={x} /> },
                    { title: 'Entities', cell: (x) => <span className="num">{count(x.entities)}</span> },
                    { title: 'Problems', cell: (x) => <Faults source={x} /> },
                    { title: 'Orphans', cell: (x) => <span className="num">{count(x.orphans)}</span> },
                    { title: 'Read', cell: (x) => <Ago at={x.refreshed_at ?? x.changed_at} className="t2" /> },
                  ]}
                />
              )
            }}
          </Await>
          <ShowMore query={query} />
        </Panel>
        <Orphans />
      </div>
    </Page>
  ) // prettier-ignore
}

const State = ({ source: x }: { source: Source }) =>
  x.held ? (
    <StatusBadge tone="warn">{amount(x.held, 'removal waits', 'removals wait')}</StatusBadge>
  ) : x.state ? (
    <StatusBadge tone={x.state === 'ok' ? 'ok' : x.state === 'failed' ? 'bad' : 'idle'}>{x.state}</StatusBadge>
  ) : null

const Faults = ({ source: x }: { source: Source }) =>
  x.problems ? (
    <Link to="/catalog/problems" search={{ source: x.id }} className={s.link}>
      {count(x.problems)}
      {x.conflicts ? `, ${count(x.conflicts)} of them ${x.conflicts === 1 ? 'a conflict' : 'conflicts'}` : ''}
    </Link>
  ) : (
    <span className="t3">none</span>
  )

function Fetched({ id }: { id: string }) {
  const query = useQuery({ ...sourceQuery(id), retry: false })
  return (
    <Await query={query} rows={3}>
      {(x) => <Detail source={x} />}
    </Await>
  )
}

function Detail({ source: x }: { source: SourceDetail }) {
  const refresh = useRefresh()
  const nav = route.useNavigate()
  const [asking, setAsking] = useState(false)
  const readable = x.type !== 'shipped' && !pushed(x)
  const read = useMutation({
    mutationFn: () => ingestSource(isConfigured(x) ? `sources/${encodeURIComponent(nameOf(x))}/read` : `locations/${encodeURIComponent(x.id)}/ingest`),
    onSuccess: async () => {
      notifyDone('It is read in a run')
      await refresh('sources')
    },
    onError: (e) => notifyError('The source cannot be read now', e),
  }) // prettier-ignore
  return (
        <div style={{ padding: 14, display: 'grid', gap: 12 }}>
          {x.detail && <p style={{ margin: 0 }}>{x.detail}</p>}
          <Facts
            items={[
              pushed(x) ? ['Last push', <Ago key="r" at={x.ended_at} />] : ['Last run', x.last_run ? <Link key="r" to="/runs/$id" params={{ id: x.last_run.id }} className={s.link}><StateBadge state={x.last_run.state} /></Link> : 'none yet'],
              ['Registered by', x.registered_by],
              ['Owner', x.owner ? <EntityLink key="o" entity={x.owner} /> : 'nobody'],
              ['Trusted', x.trusted ? 'yes: it may bring people, teams, templates and kinds' : 'no'],
              ...(x.commit ? [['Commit', <code key="c" className="mono">{x.commit.slice(0, 12)}</code>] as [string, React.ReactNode]] : []),
              ...(x.every_seconds ? [['Read every', `${x.every_seconds} s`] as [string, string]] : []),
              ...(x.overlay ? [['Overlay', `writes ${x.overlay.fields.join(', ')}; precedence ${x.overlay.precedence}`] as [string, string], ['Laid over', `${count(x.layers)} entities${x.layers_waiting ? `, ${count(x.layers_waiting)} of which are not there yet` : ''}`] as [string, string]] : []),
              ...Object.entries(x.counts ?? {}).map(([k, n]) => [k, count(n)] as [string, string]),
            ]}
          />
          {pushed(x) && <p style={{ margin: 0 }}>Another program brings these: <Cli>{`POST /api/catalog/v1/push/${x.target}`}</Cli></p>}
          {readable && (
            <div className={s.bar}>
              {x.state !== 'removed' && !isImport(x) && <Button size="xs" variant="default" leftSection={<RefreshCw size={14} />} loading={read.isPending} onClick={() => read.mutate()}>Read now</Button>}
              <Button size="xs" variant="outline" color="red" leftSection={<Trash2 size={14} />} onClick={() => setAsking(true)}>{isConfigured(x) ? 'Remove what it brought…' : 'Unregister…'}</Button>
            </div>
          )}
          {asking && <UnregisterModal source={x} onClose={() => setAsking(false)} onDone={() => void nav({ search: (o) => ({ ...o, source: undefined }), replace: true })} />}
          {x.held > 0 && <Held source={x} />}
          {x.layers_waiting > 0 && <Waiting source={x} />}
        </div>
  ) // prettier-ignore
}

/** What an overlay says of entities that are not there. */
function Waiting({ source: x }: { source: Source }) {
  const query = useQuery({ ...waitingQuery(x.id), retry: false })
  return (
    <section aria-label="Overlays that wait">
      <p style={{ margin: '0 0 8px' }}>It is laid over these when they come:</p>
      <Await query={query} rows={3}>
        {({ items }) => <DataTable label="Overlays that wait" rows={items} rowKey={(l) => l.ref} columns={[{ title: 'Entity', head: true, className: 'mono', cell: (l) => l.ref }, { title: 'Fields', className: 'mono', cell: (l) => l.fields.map(pathOf).join(', ') }, { title: 'Where', className: 'mono', cell: (l) => `${l.location}:${l.line}` }, { title: 'Since', cell: (l) => <Ago at={l.at} className="t2" /> }]} />}
      </Await>
      {x.layers_waiting > WAITING && <p className={s.note}>The first {WAITING} of {count(x.layers_waiting)}.</p>}
    </section>
  ) // prettier-ignore
}

/** Removals that are too many to go unasked. */
function Held({ source: x }: { source: Source }) {
  const query = useQuery({ ...heldQuery(nameOf(x)), retry: false })
  const refresh = useRefresh()
  const decide = useMutation({
    mutationFn: (decision: 'remove' | 'keep') => reviewSource(nameOf(x), decision),
    onSuccess: async ({ removed, kept }) => {
      if (removed) notifyDone(`${amount(removed, 'entity', 'entities')} removed`)
      else notifyDone(`${amount(kept, 'entity', 'entities')} kept`, `Until the next ${pushed(x) ? 'complete push' : 'reading'}.`)
      await refresh('sources', 'entities', 'facets', 'kinds')
    },
    onError: (e) => notifyError('The decision was refused', e),
  })
  return (
    <section aria-label="Removals that wait">
      <p style={{ margin: '0 0 8px' }}>The source does not name {count(x.held)} of its entities any more: too many to go unasked.</p>
      <Await query={query} rows={3}>
        {({ items }) => <DataTable label="Removals that wait" rows={items} rowKey={(h) => h.ref} columns={[{ title: 'Entity', head: true, cell: (h) => <EntityLink entity={h.ref} title={h.ref} /> }, { title: 'Owner', cell: (h) => h.owner && <EntityLink entity={h.owner} /> }, { title: 'Since', cell: (h) => <Ago at={h.since_at} className="t2" /> }]} />}
      </Await>
      {x.held > WAITING && <p className={s.note}>The first {WAITING} of {count(x.held)}.</p>}
      <div className={s.bar} style={{ marginTop: 10 }}>
        <Button size="xs" variant="outline" color="red" loading={decide.isPending} onClick={() => decide.mutate('remove')}>Remove all {count(x.held)}</Button>
        <Button size="xs" variant="default" loading={decide.isPending} onClick={() => decide.mutate('keep')}>Keep them</Button>
      </div>
    </section>
  ) // prettier-ignore
}

function Orphans() {
  const query = useQuery(entitiesQuery({ filter: [ORPHANS], limit: 50, fields: 'kind,metadata,relations' }))
  return (
    <Panel title="Orphans" icon={Unlink}>
      <Await query={query} rows={3}>
        {({ items, totalItems }) =>
          items.length ? (
            <>
              <DataTable label="Orphans" rows={items} rowKey={(e) => entityRef(e)} columns={[{ title: 'Entity', head: true, cell: (e) => <EntityLink entity={entityRef(e)} title={entityRef(e)} /> }, { title: 'Came from', className: 'mono', cell: (e) => <span style={{ overflowWrap: 'anywhere' }}>{e.metadata.annotations?.['backstage.io/managed-by-location']}</span> }]} />
              {totalItems > items.length && <p className={s.note}>The first {items.length} of {count(totalItems)}. <Link to="/catalog" search={{ filter: [ORPHANS] }} className={s.link}>All of them</Link></p>}
            </>
          ) : (
            <EmptyState icon={CircleCheck} title="No orphans" compact>Every entity is still named by its source. One that is not stays readable for a while, then goes.</EmptyState>
          )
        }
      </Await>
    </Panel>
  ) // prettier-ignore
}
