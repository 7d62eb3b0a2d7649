/** The columns of the catalog's table: which a kind has by itself, which can be chosen, how each is shown and sorted. */
import type { Entity, Kind } from '~/api/types'

type Declared = Kind['columns'][number]
export type Column = {
  /** A dotted path into the document, or `running`: what runs where, which the environments know. */
  path: string
  title: string
  type: Declared['type'] | 'owner' | 'lifecycle' | 'running' | 'tags' | 'reference'
  sortable: boolean
  /** Least and most pixels on a wide screen. */
  width: [number, number]
  /** What a bare name in a reference means. */
  kind?: string
}
export type Group = { title: string; columns: Column[] }

export const RUNNING = 'running'
const DEFAULT_SHOWN = 5
const column = (path: string, title: string, type: Column['type'], sortable: boolean, width: Column['width'], kind?: string): Column => ({ path, title, type, sortable, width, kind }) // prettier-ignore
const OWNER = column('spec.owner', 'Owner', 'owner', true, [130, 150])
const LIFECYCLE = column('spec.lifecycle', 'Lifecycle', 'lifecycle', true, [110, 130])
const TAGS = column('metadata.tags', 'Tags', 'tags', false, [90, 170])
const KIND = column('kind', 'Kind', 'string', true, [80, 120])
const USUAL = [OWNER, column('spec.type', 'Type', 'string', true, [90, 110]), LIFECYCLE, column(RUNNING, 'Running', 'running', false, [200, 210]), TAGS] // prettier-ignore
const MORE = [
  KIND,
  column('metadata.namespace', 'Namespace', 'string', true, [90, 120]),
  column('spec.system', 'System', 'reference', true, [110, 150], 'system'),
]
const NUMERIC = ['integer', 'number']
/** Labels and annotations are texts, whatever the kind. */
const PLAIN = /^metadata\.(labels|annotations)\./

function shown(one: Declared, kind: Kind): Column {
  const known = [OWNER, LIFECYCLE, TAGS].find((c) => c.path === one.path)
  if (known) return { ...known, title: one.title }
  const field = kind.relations.find((r) => `spec.${r.field}` === one.path)
  const least = NUMERIC.includes(one.type) || one.type === 'boolean' || one.type === 'date' ? 80 : 100
  const width: [number, number] = [least, field ? 180 : least < 100 ? 120 : 200]
  return { ...one, type: field ? 'reference' : one.type, kind: field?.default_kind ?? undefined, width }
}

/** What a kind says of its own table; kinds that say nothing have the usual columns, all together their kind as well. */
export function usualColumns(kind: Kind | undefined): Column[] {
  if (!kind) return [OWNER, KIND, ...USUAL.slice(1)]
  if (!kind.columns.length) return USUAL
  const owned = kind.relations.some((r) => r.type === 'ownedBy')
  const own = kind.columns.slice(0, DEFAULT_SHOWN).map((c) => shown(c, kind))
  return owned && !own.some((c) => c.type === 'owner') ? [OWNER, ...own] : own
}

/** Everything that can be chosen, in groups. */
export function offeredColumns(kind: Kind | undefined): Group[] {
  if (!kind) return [{ title: 'Every kind', columns: [...USUAL, ...MORE] }]
  const own = kind.columns.map((c) => shown(c, kind))
  const more = kind.more_columns.map((c) => shown(c, kind))
  const taken = new Set([...own, ...more].map((c) => c.path))
  const groups = [
    { title: kind.plural, columns: [...own, ...more.filter((c) => !c.path.startsWith('properties.'))] },
    { title: 'Computed', columns: more.filter((c) => c.path.startsWith('properties.')) },
    { title: 'Every kind', columns: [...USUAL, ...MORE].filter((c) => !taken.has(c.path)) },
  ]
  return groups.filter((g) => g.columns.length)
}

/** The columns of a table: those that were chosen, in their order, else the usual ones. */
export function columnsOf(kind: Kind | undefined, chosen: string[] | undefined): Column[] {
  if (!chosen) return usualColumns(kind)
  const known = new Map(offeredColumns(kind).flatMap((g) => g.columns.map((c) => [c.path, c])))
  return chosen.map((path) => known.get(path) ?? column(path, titleOf(path), 'any', PLAIN.test(path), [100, 180]))
}
const titleOf = (path: string) => path.split('.').at(-1) ?? path

/** What the head of an entity's page says already, and what no line can hold. */
const TOLD = [
  'spec.owner',
  'spec.type',
  'spec.lifecycle',
  'spec.system',
  'metadata.tags',
  'metadata.title',
  'metadata.description',
]
const LONGEST = 160

/** Fields of an entity that its kind knows and that are short: not those whose references the relations show. */
export function factsOf(entity: Entity, kind: Kind): Column[] {
  const lists = kind.relations.filter((r) => r.list).map((r) => `spec.${r.field}`)
  return [...kind.columns, ...kind.more_columns]
    .filter((c) => !TOLD.includes(c.path) && !c.path.startsWith('properties.') && !lists.includes(c.path))
    .map((c) => shown(c, kind))
    .filter((c) => {
      const text = valuesAt(entity, c.path).join(', ')
      return text !== '' && text.length <= LONGEST && !text.includes('\n')
    })
}

/** The parts of a document that a table needs: definitions of APIs alone would be megabytes. Computed values come only when asked for. */
export const fieldsOf = (columns: Column[]): string =>
  ['apiVersion', 'kind', 'metadata.name', 'metadata.namespace', 'metadata.title', 'metadata.description', 'spec.owner', 'spec.profile.displayName', 'relations', 'status', ...columns.map((c) => c.path).filter((p) => p !== RUNNING && p !== 'kind')].join(',') // prettier-ignore

/** What stays on narrower screens: the column that tells most, then the owner or whatever comes next. */
export function placesOf(columns: Column[]): ('narrow' | 'medium' | 'wide')[] {
  const lifecycle = columns.findIndex((c) => c.type === 'lifecycle')
  const first = lifecycle >= 0 ? lifecycle : Math.max(0, columns.findIndex((c) => c.type !== 'owner')) // prettier-ignore
  const second = columns.findIndex((_, n) => n !== first)
  return columns.map((_, n) => (n === first ? 'narrow' : n === second ? 'medium' : 'wide'))
}

/** Values at a dotted path, as text. A key may hold dots itself, as annotations do. */
export function valuesAt(value: unknown, path: string): string[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value.flatMap((v) => valuesAt(v, path))
  if (!path) return [typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean)]
  if (typeof value !== 'object') return []
  const inner = value as Record<string, unknown>
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const key = path.slice(0, end)
    if (key in inner) return valuesAt(inner[key], path.slice(end + 1))
  }
  return []
}
