/** The answers of a wizard live as long as the browser tab: a reload keeps them, a new tab starts afresh. Secrets are never among them. */
import type { RJSFSchema, UiSchema } from '@rjsf/utils'
import { newId } from '~/api/ids'
import type { Json } from '~/api/types'

/** `wizard` names this filling-in of the form in figures. */
export type Draft = { values: Json; reached: number; wizard: string }
const keyOf = (template: string) => `taxiway wizard ${template}`
const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v)

export function readDraft(template: string): Draft {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(keyOf(template)) ?? 'null')
    if (isObject(found) && isObject(found.values) && typeof found.reached === 'number')
      return { values: found.values, reached: found.reached, wizard: typeof found.wizard === 'string' ? found.wizard : newId() }
  } catch {
    // storage may be switched off or hold something older: the form starts empty then
  }
  return { values: {}, reached: 0, wizard: newId() }
}

export function writeDraft(template: string, draft: Draft): void {
  try {
    sessionStorage.setItem(keyOf(template), JSON.stringify(draft))
  } catch {
    // without storage a reload begins again
  }
}

export function dropDraft(template: string): void {
  try {
    sessionStorage.removeItem(keyOf(template))
  } catch {
    // nothing was kept
  }
}

/** Names of properties whose value must not be stored: secret fields, password inputs, `writeOnly`. */
export function secretsOf(schema: RJSFSchema, ui: UiSchema): string[] {
  const marked = (name: string) => {
    const node = ui[name] as Json | undefined
    return node?.['ui:field'] === 'Secret' || node?.['ui:widget'] === 'password'
  }
  const own = Object.entries(schema.properties ?? {}).flatMap(([k, v]) => (typeof v === 'object' && v.writeOnly ? [k] : []))
  return [...new Set([...own, ...Object.keys(ui).filter(marked)])]
}

export const without = (values: Json, names: Set<string>): Json =>
  Object.fromEntries(Object.entries(values).filter(([k]) => !names.has(k)))
