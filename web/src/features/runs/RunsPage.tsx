import { Button, TextInput } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Play, Search } from 'lucide-react'
import { approvalsQuery, runsQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import { Subject } from '~/components/Subject'
import { Await, ErrorState } from '~/components/RouteStates'
import { DataTable } from '~/ui/DataTable'
import { FacetFilter } from '~/ui/FacetFilter'
import { Ago, Cli, EmptyState, Page, PageHeader, Panel } from '~/ui/parts'
import { StateBadge, StepIcon, words } from '~/ui/Status'
import { useTyped } from '~/ui/useTyped'
import { between, seconds } from '~/ui/time'
import { FoundLines } from './FoundLines'
import s from './run.module.css'

const route = getRouteApi('/app/runs')
const STATES = [
  'queued',
  'running',
  'waiting',
  'needs_attention',
  'succeeded',
  'failed',
  'cancelling',
  'cancelled',
  'undoing',
  'undone',
]
const KINDS = ['scaffold', 'pipeline', 'deploy', 'destroy', 'decommission', 'ingest']

/** What waits for the decision of who is looking; nothing of it is shown while there is nothing. */
function Inbox() {
  const { data, error, refetch } = useQuery(approvalsQuery())
  if (error && !data)
    return (
      <Panel title="Waiting for your decision" style={{ marginBottom: 14 }}>
        <ErrorState error={error} retry={() => void refetch()} compact />
      </Panel>
    )
  if (!data || (!data.items.length && !data.next_cursor)) return null
  const unsent = data.items.flatMap((a) => a.told).find((t) => t.error)?.error
  return (
    <Panel title="Waiting for your decision" style={{ marginBottom: 14 }}>
      {data.items.length > 0 && (
        <DataTable
          label="Approvals"
          rows={data.items}
          rowKey={(a) => a.run_id}
          columns={[
            { title: 'What is asked', head: true, cell: (a) => <Link to="/runs/$id" params={{ id: a.run_id }} className={s.title}>{a.message}</Link> },
            { title: 'Run', cell: (a) => a.title },
            { title: 'By', className: 't2', cell: (a) => shortRef(a.created_by) },
            { title: 'Since', cell: (a) => a.since_at && <Ago at={a.since_at} className="t2" /> },
          ]}
        />
      )}
      {data.next_cursor && (
        <p className="t2" style={{ margin: '8px 14px 12px' }}>
          {data.items.length ? 'These are the newest.' : 'None of the newest runs that wait is for you.'} <code className="mono">taxiway runs approvals</code> lists all.
        </p>
      )}
      {!data.by_mail && <p className="t2" style={{ margin: '8px 14px 12px' }}>Nobody is told by mail: no mail server is set (mail.host in the settings).</p>}
      {unsent && <p className="t2" role="status" style={{ margin: '8px 14px 12px' }}>A mail was not sent: {unsent}</p>}
    </Panel>
  ) // prettier-ignore
}

const enough = (text: string) => (text.trim().length > 1 ? text.trim() : undefined)

export function RunsPage() {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const { logs, ...filter } = search
  const query = useInfiniteQuery({ ...runsQuery({ ...filter, limit: 50 }), refetchInterval: 5_000, enabled: !logs })
  const set = (p: Partial<typeof search>) => void nav({ search: (o) => ({ ...o, ...p }), replace: true })
  const [typed, type] = useTyped({ kept: logs, keep: (text) => set({ logs: text }), of: enough, pause: 400 })
  const pill = (key: 'state' | 'kind', label: string, values: string[]) => (
    <FacetFilter
      label={label}
      value={search[key] ? [search[key]] : []}
      options={values.map((value) => ({ value, label: words(value) }))}
      onChange={(v) => set({ [key]: v.at(-1) })}
    />
  )
  return (
    <Page>
      <PageHeader title="Runs" sub="Everything that was started: creating, building, deploying, reading the catalog." />
      <Inbox />
      <div className={s.filters}>
        <TextInput
          aria-label="Search the logs of all runs"
          placeholder="Search all logs"
          leftSection={<Search size={14} />}
          value={typed}
          maxLength={200}
          onChange={(e) => type(e.currentTarget.value)}
        />
        {pill('state', 'State', STATES)}
        {pill('kind', 'Kind', KINDS)}
        {search.subject && <FacetFilter label="Subject" value={[search.subject]} options={[{ value: search.subject, label: shortRef(search.subject) }]} onChange={() => set({ subject: undefined })} />}
      </div>
      {logs ? <FoundLines search={{ ...filter, text: logs }} /> : (
      <>
      <Await query={query} rows={10}>
        {({ pages }) => {
          const items = pages.flatMap((p) => p.items)
          if (!items.length)
            return (
              <EmptyState icon={Play} title={search.state || search.kind || search.subject ? 'No run matches these filters' : 'No runs yet'}>
                What you start is listed here, with its steps and logs. By command: <Cli>taxiway runs list</Cli>
              </EmptyState>
            )
          return (
            <div className={s.tableCard}>
              <DataTable
                label="Runs"
 pairs
                rows={items}
                rowKey={(r) => r.id}
                columns={[
                  { title: 'Run', head: true, cell: (r) => <Link to="/runs/$id" params={{ id: r.id }} className={s.title}><StepIcon state={r.state} silent /> {r.title}</Link> },
                  { title: 'State', cell: (r) => <StateBadge state={r.state} /> },
                  { title: 'Kind', cell: (r) => r.kind },
                  { title: 'About', cell: (r) => r.subject_ref && <Subject subject={r.subject_ref} /> },
                  { title: 'By', className: 't2', cell: (r) => r.created_by && shortRef(r.created_by) },
                  { title: 'Took', className: 'num t2', cell: (r) => (r.started_at ? seconds(between(r.started_at, r.ended_at)) : '') },
                  { title: 'Started', cell: (r) => <Ago at={r.created_at} className="t2" /> },
                ]}
              />
            </div>
          )
        }}
      </Await>
      {query.hasNextPage && <Button variant="default" mt={12} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show more</Button>}
      </>
      )}
    </Page>
  ) // prettier-ignore
}
