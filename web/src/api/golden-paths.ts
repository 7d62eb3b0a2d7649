// Golden paths in figures, and repositories to adopt
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { get, post } from './client'
import type { RefParts } from './refs'
import type * as T from './types'

export const goldenPathsQuery = () =>
  queryOptions({
    queryKey: ['golden-paths'],
    queryFn: () => get<T.GoldenPaths>('/api/scaffolder/v1/golden-paths'),
    retry: false,
  })
export const adoptableQuery = () =>
  infiniteQueryOptions({
    queryKey: ['adoptable'],
    queryFn: ({ pageParam }) => get<T.List<T.Adoptable>>('/api/scaffolder/v1/adoptions', { cursor: pageParam }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    retry: false,
  })
export const startAdoption = (repository: string) => post<{ id: string }>('/api/scaffolder/v1/adoptions', { repository })

/** The golden paths for an entity that exists. */
export const offersQuery = (p: RefParts) =>
  queryOptions({
    queryKey: ['entity', 'offers', p],
    queryFn: () => {
      const place = [p.kind, p.namespace, p.name].map(encodeURIComponent).join('/')
      return get<T.List<T.Offer>>(`/api/scaffolder/v1/offers/${place}`)
    },
    staleTime: 30_000,
  })

const specOf = (t: T.Entity) => (t.spec ?? {}) as Record<string, unknown>
/** Whether a golden path works on an entity instead of making one. */
export const isForExisting = (t: T.Entity) => typeof specOf(t)['taxiway:for'] === 'object'
/** Those that make something, recommended ones first. */
export const makingPaths = (templates: T.Entity[]) => {
  const making = templates.filter((t) => !isForExisting(t))
  const isRecommended = (t: T.Entity) => t.metadata.tags?.includes('recommended') ?? false
  return [...making.filter(isRecommended), ...making.filter((t) => !isRecommended(t))]
}
