/** Between the fields of a form and the values of a document. */
import type { EditField, Json } from '~/api/types'

/** What a form field shows: text, or a list of texts. */
export type Shown = string | string[]

const LISTS: EditField['shape'][] = ['texts', 'references', 'pairs', 'enums', 'numbers']
const isList = (shape: EditField['shape']) => LISTS.includes(shape)
/** A number, or the text as it was typed where it is none: the preview says what is wrong with it. */
const numberOf = (text: string) => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text)

export function shownOf(field: EditField, value: unknown): Shown {
  if (field.shape === 'pairs')
    return Object.entries((value ?? {}) as Record<string, unknown>).map(([k, v]) => `${k}=${String(v)}`)
  if (isList(field.shape)) return Array.isArray(value) ? value.map(String) : []
  return value === undefined || value === null ? '' : String(value)
}

/** The value for the document; null takes the field out of it. */
export function valueOf(field: EditField, shown: Shown): unknown {
  if (typeof shown === 'string') return shown === '' ? null : single(field.shape, shown)
  if (!shown.length) return field.required ? [] : null
  if (field.shape === 'numbers') return shown.map(numberOf)
  if (field.shape !== 'pairs') return shown
  return Object.fromEntries(shown.map((pair) => [pair.split('=')[0]?.trim() ?? '', pair.split('=').slice(1).join('=').trim()]))
}

function single(shape: EditField['shape'], shown: string): unknown {
  if (shape === 'integer' || shape === 'number') return numberOf(shown)
  return shape === 'boolean' ? shown === 'true' : shown
}

export const sameValue = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

/** A document with a value put at a pointer such as /spec/owner. */
export function withValue(document: Json, pointer: string, value: unknown): Json {
  const [, part = '', name = ''] = pointer.split('/')
  const others = Object.entries((document[part] ?? {}) as Json).filter(([key]) => key !== name)
  const inner = value === null || value === undefined ? others : [...others, [name, value]]
  return { ...document, [part]: Object.fromEntries(inner) as Json }
}

/** The lines of a unified diff without the names of the files. */
export const hunksOf = (diff: string) => diff.replace(/^--- .*\n\+\+\+ .*\n/, '')
