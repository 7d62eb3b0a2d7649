import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Activity } from 'lucide-react'
import { metricsQuery } from '~/api/queries'
import { Await } from '~/components/RouteStates'
import { EmptyState, Panel } from '~/ui/parts'
import { LineChart } from '~/ui/Sparkline'
import s from './entity.module.css'
import type { TabProps } from './EntityPage'
import { METRIC_TITLES, formatMetric } from './metric-words'
import { useEnvironment } from './useEnvironment'

const route = getRouteApi('/app/catalog/$kind/$namespace/$name')
const WINDOWS: [string, string, number][] = [['15m', '15 min', 900], ['1h', '1 hour', 3600], ['6h', '6 hours', 21_600], ['24h', '24 hours', 86_400]] // prettier-ignore

export default function MetricsTab({ entityRef }: TabProps) {
  const { environment, control } = useEnvironment(entityRef)
  const search = route.useSearch()
  const nav = route.useNavigate()
  const window = WINDOWS.find(([id]) => id === search.window)?.[2] ?? 3600
  const query = useQuery({ ...metricsQuery(entityRef, environment ?? '', window), enabled: Boolean(environment) })
  return (
    <div className={s.side}>
      <div className={s.bar}>
        {control}
        <SegmentedControl value={search.window ?? '1h'} aria-label="Time span" data={WINDOWS.map(([value, label]) => ({ value, label }))} onChange={(v) => void nav({ search: (o) => ({ ...o, window: v }), replace: true })} />
      </div>
      <Await query={query} rows={8}>
        {({ series, reason }) =>
          series.some((x) => x.points.some((p) => p[1] !== null)) ? (
            <>
              {reason && <div className="t2">{reason}</div>}
              <div className={s.charts}>
                {series.map((x, i) => (
                  <Panel key={x.name}>
                    <LineChart title={METRIC_TITLES[x.name] ?? x.name} points={x.points} format={(v) => formatMetric(v, x.unit)} color={`var(--ch-${(i % 6) + 1})`} />
                  </Panel>
                ))}
              </div>
            </>
          ) : (
            <EmptyState icon={Activity} title="No samples in this time">
              {reason ?? 'Samples are taken from /metrics of each running workload and kept for 24 hours.'}
            </EmptyState>
          )
        }
      </Await>
    </div>
  ) // prettier-ignore
}
