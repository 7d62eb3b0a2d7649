/** What a list of entities is asked for: as parameters, or as a body where a predicate belongs to it. */
import type { Query } from './client'
import type { Json } from './types'

export type EntityFilter = {
  filter?: string[]
  /** A JSON predicate in place of filters. */
  query?: Json
  text?: string
  limit?: number
  cursor?: string
  order?: string
  fields?: string
}
/** Without this list the catalog looks only into the field that it sorts by. */
const TEXT_FIELDS = 'metadata.name,metadata.title,metadata.description,metadata.tags,spec.owner,spec.profile.displayname'
export const entityParams = (f: EntityFilter): Query =>
  f.cursor
    ? { cursor: f.cursor, limit: f.limit, fields: f.fields }
    : {
        filter: f.filter,
        fullTextFilterTerm: f.text,
        fullTextFilterFields: f.text ? TEXT_FIELDS : undefined,
        limit: f.limit ?? 50,
        orderField: f.order,
        fields: f.fields,
      }
export const entityBody = (f: EntityFilter) => {
  const [field = '', order, by] = (f.order ?? '').split(',')
  return {
    query: f.query,
    limit: f.limit ?? 50,
    fields: f.fields?.split(',') ?? [],
    ...(field && { orderBy: { field, order: order === 'desc' ? 'desc' : 'asc', ...(by && { by }) } }),
    ...(f.text && { fullTextFilter: { term: f.text, fields: TEXT_FIELDS.split(',') } }),
  }
}
