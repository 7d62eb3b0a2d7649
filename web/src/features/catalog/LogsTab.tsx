import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { ScrollText } from 'lucide-react'
import { workloadLogs, workloadLogStream, workloadsQuery } from '~/api/queries'
import { LogPanel } from '~/components/LogPanel'
import { Await, ErrorState } from '~/components/RouteStates'
import { useLines } from '~/components/useLines'
import { DataTable } from '~/ui/DataTable'
import { Ago, EmptyState, Panel } from '~/ui/parts'
import { StateBadge } from '~/ui/Status'
import { bytes } from '~/ui/time'
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
                <DataTable
                  label="Workloads"
 pairs
                  rows={items}
                  rowKey={(w) => w.id}
                  current={(w) => items.length > 1 && w.id === current.id}
                  columns={[
                    { title: 'Name', head: true, cell: (w) => <button type="button" className={s.link} aria-pressed={w.id === current.id} onClick={() => void nav({ search: (o) => ({ ...o, workload: w.id }), replace: true })}>{w.name}</button> },
                    { title: 'State', cell: (w) => <StateBadge state={w.ready ? 'ready' : w.state} /> },
                    { title: 'Process', className: 'mono', cell: (w) => `${w.pid ?? ''}${w.port ? ` :${w.port}` : ''}` },
                    { title: 'CPU', className: 'num', cell: (w) => (w.cpu_percent === null || w.cpu_percent === undefined ? 'not sampled' : `${w.cpu_percent.toFixed(1)}%`) },
                    { title: 'Memory', className: 'num', cell: (w) => (w.memory_bytes === null || w.memory_bytes === undefined ? 'not sampled' : bytes(w.memory_bytes)) },
                    { title: 'Restarts', className: 'num', cell: (w) => w.restarts },
                    { title: 'Started', cell: (w) => <Ago at={w.started_at} className="t2" /> },
                  ]}
                />
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
