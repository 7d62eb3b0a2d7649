import { infiniteQueryOptions } from '@tanstack/react-query'
import { get, type Query } from './client'
import type { List } from './types'

/** A list of ours, a page at a time. The key starts with the noun, for invalidation. */
export const pagedQuery = <T>(key: unknown[], path: string, query: Query = {}) =>
  infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam }) => get<List<T>>(path, { limit: 50, ...query, cursor: pageParam }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
