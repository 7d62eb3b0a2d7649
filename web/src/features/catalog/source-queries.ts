/** What is asked of the catalog's sources. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { get } from '~/api/client'
import type * as T from '~/api/types'

export const sourcesQuery = () =>
  infiniteQueryOptions({
    queryKey: ['sources'],
    queryFn: ({ pageParam }) => get<T.List<T.Source>>('/api/catalog/v1/sources', { limit: 50, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
export const sourceQuery = (id: string) =>
  queryOptions({
    queryKey: ['sources', 'one', id],
    queryFn: () => get<T.SourceDetail>(`/api/catalog/v1/sources/${encodeURIComponent(id)}`),
  })
export const heldQuery = (name: string) =>
  queryOptions({
    queryKey: ['sources', 'held', name],
    queryFn: () => get<T.List<T.HeldEntity>>(`/api/catalog/v1/sources/${encodeURIComponent(name)}/held`),
  })
export const WAITING = 50
export const waitingQuery = (source: string) =>
  queryOptions({
    queryKey: ['sources', 'waiting', source],
    queryFn: () =>
      get<T.List<T.OverlayLayer>>('/api/catalog/v1/overlays', { source_id: source, state: 'waiting', limit: WAITING }),
  })
