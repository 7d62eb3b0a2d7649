/** What is asked of the catalog's sources. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { get } from '~/api/client'
import type { RefParts } from '~/api/refs'
import type * as T from '~/api/types'

/** Sources of the settings have this before their name. */
const CONFIGURED = 'source:'
export const isConfigured = (x: T.Source) => x.id.startsWith(CONFIGURED)
/** What an import brought: nothing can be read again from here. */
export const isImport = (x: T.Source) => x.type === 'import'
export const nameOf = (x: T.Source) => x.id.replace(CONFIGURED, '')

export const sourcesQuery = (text?: string) =>
  infiniteQueryOptions({
    queryKey: ['sources', 'list', text],
    queryFn: ({ pageParam }) => get<T.List<T.Source>>('/api/catalog/v1/sources', { text, limit: 50, cursor: pageParam }),
    placeholderData: keepPreviousData,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
export const sourceQuery = (id: string) =>
  queryOptions({
    queryKey: ['sources', 'one', id],
    queryFn: () => get<T.SourceDetail>(`/api/catalog/v1/sources/${encodeURIComponent(id)}`),
    refetchInterval: ({ state }) => (['queued', 'running'].includes(state.data?.last_run?.state ?? '') ? 1500 : false),
  })
/** The registered location that an entity came from; a 404 where it came from elsewhere. */
export const locationOfQuery = (p: RefParts) =>
  queryOptions({
    queryKey: ['sources', 'of', p],
    queryFn: () =>
      get<T.Location>(
        `/api/catalog/locations/by-entity/${encodeURIComponent(p.kind)}/${encodeURIComponent(p.namespace)}/${encodeURIComponent(p.name)}`,
      ),
  })
/** So many of what waits are listed. */
export const WAITING = 50
export const heldQuery = (name: string) =>
  queryOptions({
    queryKey: ['sources', 'held', name],
    queryFn: () => get<T.List<T.HeldEntity>>(`/api/catalog/v1/sources/${encodeURIComponent(name)}/held`, { limit: WAITING }),
  })
export const waitingQuery = (source: string) =>
  queryOptions({
    queryKey: ['sources', 'waiting', source],
    queryFn: () =>
      get<T.List<T.OverlayLayer>>('/api/catalog/v1/overlays', { source_id: source, state: 'waiting', limit: WAITING }),
  })
