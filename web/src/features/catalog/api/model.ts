/** What every kind of API definition comes down to: operations in groups, and the shapes of what goes in and out. */
export type Field = { name: string; type: string; required?: boolean; description?: string; place?: string }
export type Answer = { name: string; type?: string; description?: string; fields?: Field[] }
export type Operation = {
  id: string
  verb: string
  title: string
  summary?: string
  description?: string
  deprecated?: boolean
  inputs: Field[]
  body?: { type: string; fields: Field[]; example?: unknown; media?: string }
  answers: Answer[]
}
export type Shape = { name: string; what: string; description?: string; fields: Field[]; values?: string[] }
export type ApiModel = {
  title?: string
  version?: string
  description?: string
  servers: { url: string; description?: string }[]
  groups: { name: string; operations: Operation[] }[]
  shapes: Shape[]
}
/** Operations with a text in their verb, name or summary, in their groups. */
export const found = ({ groups }: Pick<ApiModel, 'groups'>, text: string): ApiModel['groups'] =>
  groups
    .map((g) => ({
      ...g,
      operations: g.operations.filter((o) => `${o.verb} ${o.title} ${o.summary ?? ''}`.toLowerCase().includes(text)),
    }))
    .filter((g) => g.operations.length)

export type Json = Record<string, unknown>

export const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v)
export const object = (v: unknown): Json => (isObject(v) ? v : {})
export const list = (v: unknown): unknown[] => (Array.isArray(v) ? v : [])
export const words = (v: unknown): string | undefined => (typeof v === 'string' && v ? v : undefined)
export const entries = (v: unknown): [string, Json][] => Object.entries(object(v)).map(([k, x]) => [k, object(x)])

export function grouped(pairs: [group: string, operation: Operation][]): ApiModel['groups'] {
  const groups = new Map<string, Operation[]>()
  for (const [name, operation] of pairs) groups.set(name, [...(groups.get(name) ?? []), operation])
  return [...groups].map(([name, operations]) => ({ name, operations }))
}
