import { Button } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { CalendarClock, Play, TriangleAlert } from 'lucide-react'
import { jobLogs, jobLogStream, jobsQuery, schedulesQuery } from '~/api/job-queries'
import { runJob } from '~/api/mutations'
import type { Job, Schedule } from '~/api/types'
import { LogPanel } from '~/components/LogPanel'
import { notifyDone, notifyError } from '~/components/notify'
import { Await, ErrorState, useRefresh } from '~/components/RouteStates'
import { useLines } from '~/components/useLines'
import { DataTable } from '~/ui/DataTable'
import { Ago, Cli, EmptyState, Facts, Panel } from '~/ui/parts'
import { StateBadge } from '~/ui/Status'
import { between, exact, seconds, until } from '~/ui/time'
import s from './entity.module.css'
import type { TabProps } from './EntityPage'
import { useEnvironment } from './useEnvironment'

const route = getRouteApi('/app/catalog/$kind/$namespace/$name')
const POLICIES = {
  Allow: 'a run starts beside one that still goes (Allow)',
  Forbid: 'a run waits for the end of the one before it (Forbid)',
  Replace: 'a run ends the one before it (Replace)',
}

/** A scheduled workload in one environment: when it runs, how its jobs ended, their logs, and a run now. */
export default function JobsTab({ entityRef }: TabProps) {
  const { environment, control } = useEnvironment(entityRef)
  const scope = { service: entityRef, environment }
  const query = useQuery({ ...schedulesQuery(scope), enabled: Boolean(environment) })
  return (
    <div className={s.side}>
      <div>{control}</div>
      <Await query={query}>
        {({ items }) =>
          items[0] && environment ? (
            <>
              <When schedule={items[0]} entityRef={entityRef} environment={environment} />
              <Jobs entityRef={entityRef} environment={environment} />
            </>
          ) : (
            <EmptyState icon={CalendarClock} title="Nothing is scheduled here">
              Deploy a release to this environment; its jobs are shown here.
            </EmptyState>
          )
        }
      </Await>
    </div>
  )
}

type Place = { entityRef: string; environment: string }
function When({ schedule, entityRef, environment }: Place & { schedule: Schedule }) {
  const refresh = useRefresh()
  const nav = route.useNavigate()
  const now = useMutation({
    mutationFn: () => runJob({ service_ref: entityRef, environment }),
    onSuccess: async (job: Job) => {
      notifyDone('Started', job.id)
      void nav({ search: (o) => ({ ...o, workload: job.id }), replace: true })
      await refresh('jobs', 'schedules')
    },
    onError: (e) => notifyError('The job could not be started', e),
  })
  const button = (
    <Button size="xs" leftSection={<Play size={13} />} loading={now.isPending} onClick={() => now.mutate()}>
      Run now
    </Button>
  )
  const time = (at: number | null, word: string) => (at === null ? word : <Ago at={at} />)
  return (
    <Panel title="Schedule" icon={CalendarClock} right={button}>
      <Facts
        items={[
          ['Runs at', <span key="s"><span className="mono">{schedule.schedule}</span> <span className="t2">{schedule.time_zone}</span></span>],
          ['Next run', schedule.suspended ? 'suspended' : schedule.next_at ? <time key="n" title={exact(schedule.next_at)}>{until(schedule.next_at)}</time> : 'none'],
          ['Last due', time(schedule.last_scheduled_at, 'not yet')],
          ['Last success', time(schedule.last_succeeded_at, 'not yet')],
          ['Overlap', POLICIES[schedule.concurrency_policy]],
        ]}
      />
      {(schedule.message || schedule.missed > 0) && (
        <p className={s.problems} style={{ margin: '0 14px 12px' }}>
          <TriangleAlert size={14} aria-hidden />{' '}
          {[schedule.missed > 0 && (schedule.missed === 1 ? 'one run was missed' : `${schedule.missed} runs were missed`), schedule.message].filter(Boolean).join('; ')}
        </p>
      )}
    </Panel>
  ) // prettier-ignore
}

function Jobs({ entityRef, environment }: Place) {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const query = useQuery(jobsQuery({ service: entityRef, environment }))
  const why = (j: Job) => (j.requested_by ? <>asked by <span className="mono">{j.requested_by}</span></> : <>due <Ago at={j.scheduled_at} /></>) // prettier-ignore
  return (
    <Await query={query}>
      {({ items }) => {
        const current = items.find((j) => j.id === search.workload) ?? items[0]
        if (!current)
          return (
            <EmptyState icon={CalendarClock} title="No job has run yet" compact>
              The next one comes by itself, or run it now: <Cli>taxiway jobs run SERVICE ENVIRONMENT</Cli>
            </EmptyState>
          )
        return (
          <>
            <Panel title="Jobs">
              <DataTable
                label="Jobs"
 pairs
                rows={items}
                rowKey={(j) => j.id}
                current={(j) => items.length > 1 && j.id === current.id}
                columns={[
                  { title: 'Job', head: true, cell: (j) => <button type="button" className={s.link} aria-pressed={j.id === current.id} onClick={() => void nav({ search: (o) => ({ ...o, workload: j.id }), replace: true })}>{j.name}</button> },
                  { title: 'State', cell: (j) => <StateBadge state={j.state} /> },
                  { title: 'Why', className: 't2', cell: why },
                  { title: 'Started', cell: (j) => <Ago at={j.started_at} className="t2" /> },
                  { title: 'Took', className: 'num', cell: (j) => (j.started_at ? seconds(between(j.started_at, j.ended_at)) : '') },
                  { title: 'Attempts', className: 'num', cell: (j) => j.attempts },
                  { title: 'Exit code', className: 'num', cell: (j) => j.exit_code ?? (j.signal ? `signal ${j.signal}` : '') },
                ]}
              />
            </Panel>
            {current.message && <p className={s.problems} style={{ margin: 0 }}><TriangleAlert size={14} aria-hidden /> {current.message}</p>}
            <JobLog key={current.id} job={current} />
          </>
        )
      }}
    </Await>
  ) // prettier-ignore
}

function JobLog({ job }: { job: Job }) {
  const { lines, error } = useLines(job.id, {
    load: (after) => jobLogs(job.id, after),
    stream: (after) => jobLogStream(job.id, after),
  })
  if (error) return <ErrorState error={error} compact />
  return (
    <div style={{ height: 'max(300px, calc(100dvh - 620px))' }}>
      <LogPanel title={<b>{job.name}</b>} lines={lines} name={job.name} label={`Output of ${job.name}`} />
    </div>
  )
}
