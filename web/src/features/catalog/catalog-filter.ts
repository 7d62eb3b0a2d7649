/** Turns the URL's search into the catalog's own filter language. */
import type { CatalogSearch } from '~/routes'

export const FACETS = {
  type: 'spec.type',
  owner: 'relations.ownedBy',
  lifecycle: 'spec.lifecycle',
  tag: 'metadata.tags',
} as const
export type Facet = keyof typeof FACETS
export const FACET_NAMES = Object.keys(FACETS) as Facet[]

/** One filter: commas mean "and" between keys, "or" between values of one key. `skip` leaves a facet out, to count its alternatives. */
export function filterOf(search: CatalogSearch, skip?: Facet | 'kind'): string[] {
  const parts: string[] = []
  if (search.kind && skip !== 'kind') parts.push(`kind=${search.kind}`)
  for (const facet of FACET_NAMES) if (facet !== skip) for (const v of search[facet] ?? []) parts.push(`${FACETS[facet]}=${v}`)
  return parts.length ? [parts.join(',')] : []
}

export const SORTS: Record<string, string> = {
  name: 'metadata.name',
  owner: 'spec.owner',
  type: 'spec.type',
  lifecycle: 'spec.lifecycle',
}
/** `-name` in the URL is `metadata.name,desc` in the API. */
export function orderOf(sort: string | undefined): string {
  const field = SORTS[(sort ?? 'name').replace(/^-/, '')] ?? SORTS.name
  return `${field},${sort?.startsWith('-') ? 'desc' : 'asc'}`
}
