/** Turns the URL's search into the catalog's own filter language, and a saved view into the URL's search and back. */
import type { Json, Kind, View, ViewBody } from '~/api/types'
import type { CatalogSearch } from '~/routes'

export const FACETS = {
  type: 'spec.type',
  owner: 'relations.ownedBy',
  lifecycle: 'spec.lifecycle',
  tag: 'metadata.tags',
} as const
export type Facet = keyof typeof FACETS
export const FACET_NAMES = Object.keys(FACETS) as Facet[]
/** Whether entities of a kind have anything there. */
export const hasFacet = (kind: Kind | undefined, facet: Facet): boolean =>
  !kind ||
  facet === 'tag' ||
  (facet === 'owner'
    ? kind.relations.some((r) => r.type === 'ownedBy')
    : facet in ((kind.spec_schema.properties as Json | undefined) ?? {}))

/** Filters: commas mean "and" between keys, "or" between values of one key; several filters mean "or". What the pills say
 * narrows each of `search.filter`. `skip` leaves a facet out, to count its alternatives. */
export function filterOf(search: CatalogSearch, skip?: Facet | 'kind'): string[] {
  const parts: string[] = []
  if (search.kind && skip !== 'kind') parts.push(`kind=${search.kind}`)
  for (const facet of FACET_NAMES) if (facet !== skip) for (const v of search[facet] ?? []) parts.push(`${FACETS[facet]}=${v}`)
  const pills = parts.join(',')
  if (search.filter?.length) return search.filter.map((f) => (pills ? `${pills},${f}` : f))
  return pills ? [pills] : []
}

/** The same as a JSON predicate, for where the URL holds one as well. None without one: a filter says it shorter. */
export function predicateOf(search: CatalogSearch, skip?: Facet | 'kind'): Json | undefined {
  const query = parsed(search.query)
  if (!query) return undefined
  const filters = filterOf(search, skip).map((text) => ({ $all: Object.entries(byKey(text)).map(([key, values]) => ({ [key]: values.length ? { $in: values } : { $exists: true } })) })) // prettier-ignore
  return filters.length ? { $all: [query, filters.length === 1 ? filters[0] : { $any: filters }] } : query
}

export function parsed(query: string | undefined): Json | undefined {
  if (!query) return undefined
  try {
    const value: unknown = JSON.parse(query)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

/** Statements of a filter by their key; a key without a value has none. */
function byKey(filter: string): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (const statement of filter.split(',')) {
    const [key = '', ...value] = statement.trim().split('=')
    if (!key) continue
    const values = (found[key.trim()] ??= [])
    if (value.length) values.push(value.join('=').trim())
  }
  return found
}

const NAME = 'metadata.name'
const NUMBER = 'number'
/** How columns were called in URLs before they were paths. */
const FORMER: Record<string, string> = { name: NAME, owner: 'spec.owner', type: 'spec.type', lifecycle: 'spec.lifecycle' }
/** `-spec.type` is down by text, `spec.slots,number` up by number. */
export const sortedBy = (sort: string | undefined): { path: string; down: boolean; number: boolean } => {
  const [path = NAME, by] = (sort ?? NAME).replace(/^-/, '').split(',')
  return { path: FORMER[path] ?? path, down: sort?.startsWith('-') ?? false, number: by === NUMBER }
}
/** Whether entities of every kind can be in this order. */
export const isCommon = (sort: string | undefined) => Object.values(FORMER).includes(sortedBy(sort).path)
/** `-spec.type` in the URL is `spec.type,desc` in the API. */
export function orderOf(sort: string | undefined): string {
  const { path, down, number } = sortedBy(sort)
  return [path, down ? 'desc' : 'asc', ...(number ? [NUMBER] : [])].join(',')
}

/** The table that a view stands for. What pills can say becomes pills; the rest of its filters stays as it is written. */
export function stateOf(view: View): CatalogSearch {
  const [path = '', direction, by] = (view.sort ?? '').split(',')
  const only = view.filters.length === 1 ? byKey(view.filters[0] ?? '') : undefined
  const pills: CatalogSearch = {}
  for (const facet of FACET_NAMES) {
    const values = only?.[FACETS[facet]]
    if (values?.length) pills[facet] = values
  }
  const shown = FACET_NAMES.filter((f) => pills[f]).map((f) => FACETS[f] as string)
  const rest = only && Object.entries(only).flatMap(([key, values]) => (shown.includes(key) ? [] : values.length ? values.map((v) => `${key}=${v}`) : [key])) // prettier-ignore
  return {
    view: view.id,
    kind: view.kind ?? undefined,
    q: view.text || undefined,
    ...pills,
    filter: rest ? (rest.length ? [rest.join(',')] : undefined) : view.filters.length ? view.filters : undefined,
    query: view.query ? JSON.stringify(view.query) : undefined,
    columns: view.columns.length ? view.columns : undefined,
    sort: path ? `${direction === 'desc' ? '-' : ''}${path}${by === NUMBER ? `,${NUMBER}` : ''}` : undefined,
  }
}

/** A view of everything, in the usual order and with the usual columns. */
export const isPlain = (view: View) =>
  Object.entries(stateOf(view)).every(([key, value]) => key === 'view' || value === undefined)

/** What of the table a view keeps. */
export type Kept = Pick<ViewBody, 'kind' | 'filters' | 'query' | 'text' | 'columns' | 'sort'>
export const keptOf = (search: CatalogSearch): Kept => ({
  kind: search.kind ?? null,
  filters: filterOf({ ...search, kind: undefined }),
  query: parsed(search.query) ?? null,
  text: search.q ?? '',
  columns: search.columns ?? [],
  sort: search.sort ? orderOf(search.sort) : null,
})

/** Whether the table is as the view says. */
export const isAsKept = (search: CatalogSearch, view: View) =>
  JSON.stringify(keptOf(search)) === JSON.stringify(keptOf(stateOf(view)))
