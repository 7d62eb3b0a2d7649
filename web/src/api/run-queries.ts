// Runs beyond their list: what an undo takes back, and lines of all logs
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { get } from './client'
import type * as T from './types'

/** What an undo takes back, and what others changed since: asked anew each time, since it looks at the forges. */
export const undoPlanQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id, 'undo'],
    queryFn: () => get<T.UndoPlan>(`/api/runs/v1/runs/${encodeURIComponent(id)}/undo`),
    gcTime: 0,
    retry: false,
  })

export type LogSearch = { text: string; state?: string; kind?: string; subject?: string }
/** Lines of all runs that hold a text. A page may be empty and have another one behind it. */
export const foundLinesQuery = (search: LogSearch) =>
  infiniteQueryOptions({
    queryKey: ['runs', 'found-lines', search],
    queryFn: ({ pageParam, signal }) => get<T.List<T.FoundLine>>('/api/runs/v1/logs', { ...search, limit: 100, cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    retry: false,
  }) // prettier-ignore
