/** What the search API answers, as the palette and the page show it. Marks become elements here; nothing is HTML. */
import { queryOptions, keepPreviousData } from '@tanstack/react-query'
import { get } from '~/api/client'
import type { SearchResults } from '~/api/types'

export type Hit = SearchResults['results'][number]
type Question = { term: string; types?: string[]; limit: number; cursor?: string }

export const searchQuery = (q: Question) =>
  queryOptions({
    queryKey: ['search', q],
    queryFn: ({ signal }) =>
      get<SearchResults>('/api/search/query', { term: q.term, types: q.types, pageLimit: q.limit, pageCursor: q.cursor }, signal),
    placeholderData: keepPreviousData,
    enabled: q.term !== '',
  })

export const textOf = (hit: Hit, field: string) => String(hit.document[field] ?? '')
export const placeOf = (hit: Hit) =>
  hit.type === 'software-catalog'
    ? `/catalog/${textOf(hit, 'kind')}/${textOf(hit, 'namespace')}/${textOf(hit, 'name')}`
    : textOf(hit, 'location')

/** A field with what was looked for marked; as it is, where nothing in it was. */
export function Marked({ hit, field }: { hit: Hit; field: string }) {
  const text = hit.highlight?.fields[field]
  if (!hit.highlight || text === undefined) return <>{textOf(hit, field)}</>
  const { preTag, postTag } = hit.highlight
  const parts = text.split(preTag).flatMap((part, i) => {
    if (i === 0) return [{ at: 0, text: part, found: false }]
    const [found = '', rest = ''] = part.split(postTag)
    return [
      { at: 2 * i - 1, text: found, found: true },
      { at: 2 * i, text: rest, found: false },
    ]
  })
  return <>{parts.map((p) => (p.found ? <mark key={p.at}>{p.text}</mark> : <span key={p.at}>{p.text}</span>))}</>
}
