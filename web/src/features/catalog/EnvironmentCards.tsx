import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { jobsQuery, schedulesQuery } from '~/api/job-queries'
import { matrixQuery, metricsQuery, workloadsQuery } from '~/api/queries'
import type { Cell, Environment, Series } from '~/api/types'
import { cellState } from '~/components/cell-state'
import { Ago } from '~/ui/parts'
import { Dot, toneOf, words } from '~/ui/Status'
import { until } from '~/ui/time'
import s from './entity.module.css'
import { formatMetric } from './metric-words'

const SPAN_SECONDS = 900
const SHOWN: [series: string, word: string][] = [['rate', ''], ['error_ratio', ' errors'], ['latency_p95', ' p95']] // prettier-ignore

/** What runs in each environment, with the newest figures of the last quarter of an hour. */
export function EnvironmentCards({ service }: { service: string }) {
  const { data } = useQuery(matrixQuery())
  const row = data?.services.find((x) => x.ref === service)
  if (!data || !row) return null
  return (
    <div className={s.envs}>
      {[...data.environments]
        .sort((a, b) => a.rank - b.rank)
        .map((e) => (
          <Card key={e.name} service={service} environment={e} cell={row.cells[e.name]} />
        ))}
    </div>
  )
}

function Card({ service, environment, cell }: { service: string; environment: Environment; cell: Cell | undefined }) {
  const state = cell ? cellState(cell) : { tone: 'idle' as const, text: 'not deployed' }
  return (
    <section className={s.env} aria-label={environment.title}>
      <div className={s.envTop}>
        <Dot tone={state.tone} title={state.text} />
        <span style={{ fontWeight: 600 }}>{environment.title}</span>
        {cell?.url && <a href={cell.url} target="_blank" rel="noreferrer" className={s.url}>{cell.url.replace(/^https?:\/\//, '')}</a>}
        <span style={{ flex: 1 }} />
        {cell?.deployed_at && <Ago at={cell.deployed_at} className="t3" />}
      </div>
      {cell ? (
        <>
          <Link to="." search={{ tab: 'deployments', environment: environment.name }} className="mono">{cell.version}</Link>
          <Figures service={service} environment={environment.name} text={state.text} />
          <LastJob service={service} environment={environment.name} />
        </>
      ) : (
        <Link to="/environments" search={{ service, deploy: `${service}@${environment.name}` }} className={s.link}>Deploy a release here</Link>
      )}
    </section>
  ) // prettier-ignore
}

const newest = (x: Series | undefined) => x?.points.findLast((p) => p[1] !== null)?.[1]
function Figures({ service, environment, text }: { service: string; environment: string; text: string }) {
  const workloads = useQuery(workloadsQuery({ service, environment })).data?.items ?? []
  const { data: metrics } = useQuery(metricsQuery(service, environment, SPAN_SECONDS))
  const figures = SHOWN.flatMap(([name, word]) => {
    const series = metrics?.series.find((x) => x.name === name)
    const value = newest(series)
    return series && typeof value === 'number' ? [formatMetric(value, series.unit) + word] : []
  })
  return (
    <div className={s.envStats}>
      <span>{text}</span>
      {workloads.length > 0 && <span className="num">{workloads.filter((w) => w.ready).length}/{workloads.length} ready</span>}
      {figures.map((f) => <span key={f} className="num">{f}</span>)}
    </div>
  ) // prettier-ignore
}

/** How the newest job ended and when the next one comes, where the service is a scheduled workload. */
function LastJob({ service, environment }: { service: string; environment: string }) {
  const schedule = useQuery(schedulesQuery({ service, environment })).data?.items[0]
  const { data: jobs } = useQuery({ ...jobsQuery({ service, environment }), enabled: Boolean(schedule) })
  if (!schedule || !jobs) return null
  const job = jobs.items[0]
  return (
    <div className={s.envStats}>
      {job ? (
        <Link to="." search={{ tab: 'jobs', environment, workload: job.id }} className={s.link} title={job.message || undefined}>
          <Dot tone={toneOf(job.state)} size={7} /> job {words(job.state)}
        </Link>
      ) : (
        <span>no job yet</span>
      )}
      {job && <Ago at={job.ended_at ?? job.created_at} />}
      <span>{schedule.next_at ? `next ${until(schedule.next_at)}` : 'suspended'}</span>
    </div>
  )
}
