/** The only place that calls `fetch`. Same origin, cookie session; unsafe methods carry the CSRF token of the readable cookie. */
import { ApiError, errorFrom } from './errors'
import { newId } from './ids'

export type Query = Record<string, string | number | boolean | undefined | null | readonly string[]>

export function withQuery(path: string, query: Query = {}): string {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(query)) {
    if (v === undefined || v === null || v === '') continue
    for (const x of Array.isArray(v) ? (v as readonly string[]) : [String(v)]) q.append(k, x)
  }
  const text = q.toString()
  return text ? `${path}${path.includes('?') ? '&' : '?'}${text}` : path
}

/** Fills `{name}` places of an API path; every value is percent-encoded. */
export const fill = (path: string, values: Record<string, string>): string =>
  path.replace(/\{(\w+)\}/g, (_, k: string) => encodeURIComponent(values[k] ?? ''))

export const readCookie = (name: string): string | undefined => {
  const found = document.cookie.split('; ').find((c) => c.startsWith(`${name}=`))
  return found ? decodeURIComponent(found.slice(name.length + 1)) : undefined
}

async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  more: Record<string, string> = {},
): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-Taxiway-Client': 'portal', ...more }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (method !== 'GET') {
    const csrf = readCookie('taxiway_csrf')
    if (csrf) headers['X-CSRF-Token'] = csrf
    headers['Idempotency-Key'] = newId()
  }
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    })
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e
    throw new ApiError(
      0,
      'The server does not answer. Check that Taxiway is running, then try again.',
      'unreachable',
      undefined,
      true,
    )
  }
  const type = response.headers.get('content-type') ?? ''
  const data: unknown =
    response.status === 204
      ? undefined
      : type.includes('json')
        ? await response.json().catch(() => undefined)
        : await response.text()
  if (!response.ok) throw errorFrom(response.status, data, response.headers.get('x-request-id') ?? undefined)
  return data as T
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) =>
  call<T>('GET', withQuery(path, query), undefined, signal)
export const post = <T>(path: string, body: unknown = {}, signal?: AbortSignal) => call<T>('POST', path, body, signal)
/** With the ETag of what was read, so that a change in between is refused. */
export const postIf = <T>(etag: string, path: string, body: unknown = {}) =>
  call<T>('POST', path, body, undefined, { 'If-Match': `"${etag}"` })
export const put = <T>(path: string, body: unknown = {}) => call<T>('PUT', path, body)
/** Refused when it is not at this version any more. */
export const putIf = <T>(version: number, path: string, body: unknown) =>
  call<T>('PUT', path, body, undefined, { 'If-Match': `"${version}"` })
export const del = <T>(path: string) => call<T>('DELETE', path)

export type Attempt = { url: string; method: string; headers: Record<string, string>; body?: string }
const LARGEST_SHOWN = 200_000
/** A request of an API's page, as somebody wrote it. Without the session's cookie: it is not done in the name of who is signed in. */
export async function tryRequest({ url, method, headers, body }: Attempt) {
  const started = performance.now()
  const signal = AbortSignal.timeout(20_000)
  const answer = await fetch(url, { method, headers, body, credentials: 'omit', redirect: 'manual', signal })
  const text = (await answer.text()).slice(0, LARGEST_SHOWN)
  const head = [...answer.headers].map(([k, v]) => `${k}: ${v}`).join('\n')
  return { status: `${answer.status} ${answer.statusText}`.trim(), ms: Math.round(performance.now() - started), text, head }
}
