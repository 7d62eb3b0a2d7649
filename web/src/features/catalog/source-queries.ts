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
