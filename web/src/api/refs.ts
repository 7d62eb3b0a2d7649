/** Entity references `kind:namespace/name`; parts default as Backstage does. */
export type RefParts = { kind: string; namespace: string; name: string }

export function splitRef(ref: string, kind = 'component'): RefParts {
  const [head, tail] = ref.includes(':') ? [ref.slice(0, ref.indexOf(':')), ref.slice(ref.indexOf(':') + 1)] : [kind, ref]
  const at = tail.indexOf('/')
  return { kind: head.toLowerCase(), namespace: at < 0 ? 'default' : tail.slice(0, at), name: at < 0 ? tail : tail.slice(at + 1) }
}
export const joinRef = (p: RefParts): string => `${p.kind.toLowerCase()}:${p.namespace}/${p.name}`
export const entityRef = (e: { kind: string; metadata: { name: string; namespace?: string } }): string =>
  joinRef({ kind: e.kind, namespace: e.metadata.namespace ?? 'default', name: e.metadata.name })
/** What a person reads: the bare name, with the namespace only where it is not the default. */
export const shortRef = (ref: string): string => {
  const p = splitRef(ref)
  return p.namespace === 'default' ? p.name : `${p.namespace}/${p.name}`
}
type Titled = { metadata: { name: string; title?: string }; spec?: Record<string, unknown> }
/** The title, for people and teams the display name of their profile, else the name. */
export const titleOf = (e: Titled): string => {
  const shown = (e.spec?.profile as { displayName?: unknown } | undefined)?.displayName
  return e.metadata.title ?? (typeof shown === 'string' && shown ? shown : e.metadata.name)
}
