/** Scheduled workloads and their jobs. */
import { queryOptions } from '@tanstack/react-query'
import { get } from './client'
import { logPage, type Scope } from './queries'
import type * as T from './types'

export const schedulesQuery = (scope: Scope) =>
  queryOptions({
    queryKey: ['schedules', scope],
    queryFn: () => get<{ items: T.Schedule[] }>('/api/environments/v1/schedules', scope),
    refetchInterval: 10_000,
  })
export const jobsQuery = (scope: Scope) =>
  queryOptions({
    queryKey: ['jobs', scope],
    queryFn: () => get<{ items: T.Job[] }>('/api/environments/v1/jobs', scope),
    refetchInterval: 5_000,
  })
export const jobLogs = (id: string, after: number) => logPage(`/api/environments/v1/jobs/${encodeURIComponent(id)}/logs`, after)
export const jobLogStream = (id: string, after: number) =>
  `/api/environments/v1/jobs/${encodeURIComponent(id)}/logs/stream${after ? `?after=${after}` : ''}`
