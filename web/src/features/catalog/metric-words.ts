import { bytes } from '~/ui/time'

export const METRIC_TITLES: Record<string, string> = {
  rate: 'Requests',
  error_ratio: 'Errors',
  latency_p50: 'Latency, p50',
  latency_p95: 'Latency, p95',
  cpu: 'CPU',
  memory: 'Memory',
}

/** A sample in words, by its unit. */
export function formatMetric(v: number, unit: string): string {
  switch (unit.toLowerCase()) {
    case 'ratio':
      return `${(v * 100).toFixed(v > 0 && v < 0.01 ? 2 : 1)}%`
    case 'percent':
    case '%':
      return `${v.toFixed(1)}%`
    case 's':
    case 'seconds':
      return v < 1 ? `${(v * 1000).toFixed(v < 0.01 ? 1 : 0)} ms` : `${v.toFixed(2)} s`
    case 'ms':
      return `${v.toFixed(0)} ms`
    case 'bytes':
    case 'b':
      return bytes(v)
    case 'req/s':
    case 'requests/s':
    case '1/s':
    case 'per_second':
      return `${v.toFixed(v < 10 ? 2 : 0)}/s`
    default:
      return `${Number(v.toPrecision(3))}${unit ? ` ${unit}` : ''}`
  }
}
