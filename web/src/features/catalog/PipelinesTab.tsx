import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { GitCommitHorizontal, Workflow } from 'lucide-react'
import { pipelineLogs, pipelineQuery, pipelinesQuery, repositoriesQuery } from '~/api/queries'
import type { Pipeline } from '~/api/types'
import { LogPanel } from '~/components/LogPanel'
import { Await } from '~/components/RouteStates'
import { useLines } from '~/components/useLines'
import { Ago, Cli, EmptyState, Panel } from '~/ui/parts'
import { StateBadge, StepIcon } from '~/ui/Status'
import { between, seconds } from '~/ui/time'
import s from './entity.module.css'
import type { TabProps } from './EntityPage'

const route = getRouteApi('/app/catalog/$kind/$namespace/$name')

export default function PipelinesTab({ entityRef }: TabProps) {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const list = useQuery(pipelinesQuery({ service: entityRef, limit: 50 }))
  const { data: repositories } = useQuery(repositoriesQuery())
  const clone = repositories?.items.find((r) => r.service_ref === entityRef)?.clone_url
  return (
    <Await query={list} rows={6}>
      {({ items }) => {
        if (!items.length)
          return (
            <EmptyState icon={Workflow} title="No pipelines yet">
              A push to the repository runs its workflow. {clone && <Cli>{`git clone ${clone}`}</Cli>}
            </EmptyState>
          )
        const current = items.find((p) => p.id === search.pipeline) ?? items[0]
        return (
          <div className={s.split}>
            <Panel title="Pipelines" icon={Workflow}>
              {items.map((p) => (
                <button
                  key={p.id}
                  type="button"
                  className={s.pick}
                  aria-current={p.id === current?.id || undefined}
                  onClick={() => void nav({ search: (o) => ({ ...o, pipeline: p.id }), replace: true })}
                >
                  <StepIcon state={p.state} />
                  <span style={{ flex: 1, minWidth: 0 }}>
                    <span style={{ fontWeight: 500, display: 'block' }} className="trunc">
                      {p.workflow.split('/').at(-1)}
                    </span>
                    <span className="t3">
                      <GitCommitHorizontal size={12} aria-hidden /> <span className="mono">{p.commit.slice(0, 8)}</span>{' '}
                      {p.branch}
                    </span>
                  </span>
                  <Ago at={p.started_at} className="t3" />
                </button>
              ))}
            </Panel>
            {current && <PipelineDetail id={current.id} first={current} />}
          </div>
        )
      }}
    </Await>
  )
}

function PipelineDetail({ id, first }: { id: string; first: Pipeline }) {
  const { data = first } = useQuery(pipelineQuery(id))
  // the key holds the state: when the pipeline ends, the whole log is read once more
  const { lines } = useLines(`${id} ${data.state}`, { load: (after) => pipelineLogs(id, after) })
  return (
    <div className={s.side}>
      <Panel
        title={data.workflow.split('/').at(-1)}
        right={
          <>
            <span className="t3 num">{seconds(between(data.started_at, data.ended_at))}</span>
            <StateBadge state={data.state} />
          </>
        }
      >
        {(data.jobs ?? []).map((j) => (
          <details key={j.id} className={s.job} open>
            <summary>
              <StepIcon state={j.state} /> <span style={{ fontWeight: 500 }}>{j.name}</span>
            </summary>
            {(j.steps ?? []).map((step, i) => (
              <div key={i} className={s.jobStep}>
                <StepIcon state={step.state} size={13} />
                <span className="trunc" style={{ flex: 1 }}>
                  {step.name}
                </span>
                <span className="t3 num">{seconds(step.seconds)}</span>
              </div>
            ))}
          </details>
        ))}
        {data.reason && <div className={s.reason}>{data.reason}</div>}
        {!data.jobs?.length && <div className="t2" style={{ padding: 14 }}>The jobs appear when the pipeline starts.</div>}
      </Panel>
      <div style={{ height: 420 }}>
        <LogPanel title={<b>Output</b>} lines={lines} name={`pipeline-${id}`} label="Pipeline output" />
      </div>
    </div>
  ) // prettier-ignore
}
