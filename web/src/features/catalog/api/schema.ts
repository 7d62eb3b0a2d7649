/** JSON Schema as fields and short type words. References inside the document are followed, with an end to circles. */
import { entries, type Field, isObject, type Json, list, object, type Shape, words } from './model'

const DEPTH = 3
export const lastPart = (ref: string) => decodeURIComponent(ref.slice(ref.lastIndexOf('/') + 1))

/** What a `$ref` within the document points to; {} where it points nowhere or in a circle. */
export function follow(root: Json, value: unknown): Json {
  let at = object(value)
  for (let i = 0; i < 20 && typeof at.$ref === 'string'; i++) {
    if (!at.$ref.startsWith('#/')) return {}
    let next: unknown = root
    for (const part of at.$ref.slice(2).split('/'))
      next = object(next)[decodeURIComponent(part).replace(/~1/g, '/').replace(/~0/g, '~')]
    at = object(next)
  }
  return typeof at.$ref === 'string' ? {} : at
}

export function typeOf(schema: unknown, depth = 0): string {
  if (!isObject(schema) || depth > DEPTH) return 'any'
  if (typeof schema.$ref === 'string') return lastPart(schema.$ref)
  for (const [key, sign] of [['oneOf', ' | '], ['anyOf', ' | '], ['allOf', ' & ']] as const)
    if (Array.isArray(schema[key])) return list(schema[key]).map((s) => typeOf(s, depth + 1)).join(sign)
  if (Array.isArray(schema.enum)) return schema.enum.map((v) => JSON.stringify(v)).join(' | ')
  if ('const' in schema) return JSON.stringify(schema.const)
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : words(schema.type)
  if (type === 'array' || schema.items) return `${typeOf(schema.items, depth + 1)}[]`
  if (isObject(schema.additionalProperties)) return `map of ${typeOf(schema.additionalProperties, depth + 1)}`
  return (type ?? (schema.properties ? 'object' : 'any')) + (words(schema.format) ? ` (${String(schema.format)})` : '')
} // prettier-ignore

/** The properties of an object, those of objects within it with dotted names. */
export function fieldsOf(root: Json, schema: unknown, prefix = '', depth = 0, asked = new Set<unknown>()): Field[] {
  const s = follow(root, schema)
  if (depth > DEPTH || asked.has(s)) return []
  const seen = new Set([...asked, s])
  const inherited = list(s.allOf).flatMap((part) => fieldsOf(root, part, prefix, depth + 1, seen))
  const own = entries(s.properties).flatMap(([name, property]): Field[] => {
    const field = { name: prefix + name, type: typeOf(property), required: list(s.required).includes(name), description: words(property.description) }
    const inner = property.$ref ? [] : fieldsOf(root, property.items ?? property, `${prefix}${name}${property.items ? '[]' : ''}.`, depth + 1, seen)
    return [field, ...(object(property.items).$ref ? [] : inner)]
  })
  return [...inherited, ...own]
} // prettier-ignore

export const shapesOf = (root: Json, schemas: unknown): Shape[] =>
  entries(schemas).map(([name, schema]) => ({
    name,
    what: typeOf({ ...schema, enum: undefined, $ref: undefined }),
    description: words(schema.description),
    fields: fieldsOf(root, schema),
    values: Array.isArray(schema.enum) ? schema.enum.map(String) : undefined,
  }))

/** A value that fits a schema, to begin with. */
export function exampleOf(root: Json, schema: unknown, depth = 0): unknown {
  const s = follow(root, schema)
  if (s.example !== undefined) return s.example
  if (list(s.examples).length) return list(s.examples)[0]
  if (s.default !== undefined) return s.default
  if (list(s.enum).length) return list(s.enum)[0]
  if (depth > DEPTH + 1) return null
  for (const key of ['oneOf', 'anyOf']) if (list(s[key]).length) return exampleOf(root, list(s[key])[0], depth + 1)
  if (list(s.allOf).length) return Object.assign({}, ...list(s.allOf).map((p) => object(exampleOf(root, p, depth + 1)))) as Json
  const type = Array.isArray(s.type) ? s.type[0] : s.type
  if (type === 'array' || s.items) return [exampleOf(root, s.items, depth + 1)]
  if (type === 'object' || s.properties)
    return Object.fromEntries(entries(s.properties).map(([k, p]) => [k, exampleOf(root, p, depth + 1)]))
  return type === 'integer' || type === 'number' ? 0 : type === 'boolean' ? false : type === 'string' ? '' : null
}
