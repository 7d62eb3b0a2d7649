import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { ScrollText } from 'lucide-react'
import { workloadLogs, workloadLogStream, workloadsQuery } from '~/api/queries'
import { LogPanel } from '~/components/LogPanel'
import { Await, ErrorState } from '~/components/RouteStates'
import { useLines } from '~/components/useLines'
import { Ago, EmptyState, Panel } from '~/ui/parts'
import { StateBadge } from '~/ui/Status'
import { bytes } from '~/ui/time'
import ui from '~/ui/ui.module.css'
import s from './entity.module.css'
import type { TabProps } from './EntityPage'
import { useEnvironment } from './useEnvironment'

const route = getRouteApi('/app/catalog/$kind/$namespace/$name')

export default function LogsTab({ entityRef }: TabProps) {
  const { environment, control } = useEnvironment(entityRef)
  const search = route.useSearch()
  const nav = route.useNavigate()
  const query = useQuery({ ...workloadsQuery({ service: entityRef, environment }), enabled: Boolean(environment) })
  return (
    <div className={s.side}>
      <div>{control}</div>
      <Await query={query}>
        {({ items }) => {
          const current = items.find((w) => w.id === search.workload) ?? items[0]
          if (!current)
            return (
              <EmptyState icon={ScrollText} title="Nothing runs here">
                Deploy a release to this environment; its output is shown live.
              </EmptyState>
            )
          return (
            <>
              <Panel title="Workloads">
                <div className={ui.tableWrap}>
                  <table className={ui.table}>
                    <thead>
                      <tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Process</th><th scope="col">CPU</th><th scope="col">Memory</th><th scope="col">Restarts</th><th scope="col">Started</th></tr>
                    </thead>
                    <tbody>
                      {items.map((w) => (
                        <tr key={w.id} aria-current={w.id === current.id || undefined}>
                          <th scope="row">
                            <button type="button" className={s.link} onClick={() => void nav({ search: (o) => ({ ...o, workload: w.id }), replace: true })}>{w.name}</button>
                          </th>
                          <td><StateBadge state={w.ready ? 'ready' : w.state} /></td>
                          <td className="mono">{w.pid ?? ''}{w.port ? ` :${w.port}` : ''}</td>
                          <td className="num">{w.cpu_percent === null || w.cpu_percent === undefined ? 'not sampled' : `${w.cpu_percent.toFixed(1)}%`}</td>
                          <td className="num">{w.memory_bytes === null || w.memory_bytes === undefined ? 'not sampled' : bytes(w.memory_bytes)}</td>
                          <td className="num">{w.restarts}</td>
                          <td><Ago at={w.started_at} className="t2" /></td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              </Panel>
              <WorkloadLog id={current.id} name={current.name} />
            </>
          )
        }}
      </Await>
    </div>
  ) // prettier-ignore
}

function WorkloadLog({ id, name }: { id: string; name: string }) {
  const { lines, error } = useLines(id, {
    load: (after) => workloadLogs(id, after),
    stream: (after) => workloadLogStream(id, after),
  })
  if (error) return <ErrorState error={error} compact />
  return (
    <div style={{ height: 'max(360px, calc(100dvh - 420px))' }}>
      <LogPanel title={<b>{name}</b>} lines={lines} name={name} label={`Output of ${name}`} />
    </div>
  )
}
