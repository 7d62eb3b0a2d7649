/** A request as it would be sent, and as a command line. */
import type { Attempt } from '~/api/client'
import type { Operation } from './model'

export type Given = { server: string; values: Record<string, string>; body: string; authorization: string }

export function requestOf(operation: Operation, given: Given): Attempt {
  const at = (place: string) => operation.inputs.filter((f) => f.place === place && given.values[`${place} ${f.name}`])
  const value = (place: string, name: string) => given.values[`${place} ${name}`] ?? ''
  const path = operation.title.replace(/\{([^}]+)\}/g, (whole, name: string) => value('path', name) ? encodeURIComponent(value('path', name)) : whole) // prettier-ignore
  const query = new URLSearchParams(at('query').map((f) => [f.name, value('query', f.name)])).toString()
  const headers: Record<string, string> = { Accept: 'application/json' }
  for (const f of at('header')) headers[f.name] = value('header', f.name)
  const cookies = at('cookie').map((f) => `${f.name}=${value('cookie', f.name)}`)
  if (cookies.length) headers.Cookie = cookies.join('; ')
  if (given.authorization) headers.Authorization = given.authorization
  const body = operation.body && given.body.trim() ? given.body : undefined
  if (body) headers['Content-Type'] = operation.body?.media ?? 'application/json'
  return { url: `${given.server.replace(/\/$/, '')}${path}${query ? `?${query}` : ''}`, method: operation.verb, headers, body }
}

const quote = (v: string) => `'${v.replace(/'/g, `'\\''`)}'`
export const curlOf = (r: Attempt): string =>
  [
    `curl -i -X ${r.method} ${quote(r.url)}`,
    ...Object.entries(r.headers).map(([k, v]) => `-H ${quote(`${k}: ${v}`)}`),
    ...(r.body ? [`--data-raw ${quote(r.body)}`] : []),
  ].join(' \\\n  ')
