/** One error path: both error bodies of the API (RFC 9457 and Backstage's) become an ApiError. */
export type FieldError = { pointer: string; detail: string }

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly code: string = 'unknown',
    readonly requestId: string | undefined = undefined,
    readonly retryable: boolean = false,
    readonly errors: FieldError[] = [],
  ) {
    super(detail)
    this.name = 'ApiError'
  }
}

const text = (v: unknown): string | undefined => (typeof v === 'string' && v ? v : undefined)
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)

/** `body` is the decoded JSON of a refused response, or undefined when it was not JSON. */
export function errorFrom(status: number, body: unknown, requestId?: string): ApiError {
  const b = isObject(body) ? body : {}
  const own = isObject(b.error) ? b.error : b // Backstage wraps it as {error: {name, message}}
  const detail = text(own.detail) ?? text(own.message) ?? text(own.title) ?? `The server answered ${status}.`
  const errors = Array.isArray(own.errors)
    ? own.errors.filter(isObject).map((e) => ({ pointer: String(e.pointer ?? ''), detail: String(e.detail ?? '') }))
    : []
  return new ApiError(
    status,
    detail,
    text(own.code) ?? text(own.name) ?? 'unknown',
    text(own.request_id) ?? requestId,
    own.retryable === true,
    errors,
  )
}

/** The server's message names the permission in this form; it stands out there so that a reader can copy it. */
export const permissionIn = (detail: string): string | undefined => /\b([a-z_]+(?:[.:][a-z_]+)+)\b/.exec(detail)?.[1]

/** How sentences of the server begin; other first words may be names, which keep their letters. */
const OPENS =
  /^(?:an?|its?|the|there|this|that|these|those|you|your|who|what|when|some|somebody|nobody|no|not|none|nothing|only|all|each|ask|choose|confirm|correct|give|make|name|say|send|sign|try|use|write)(?=[\s,:])/

/** A message of the server where it stands alone: with a capital, and a full stop unless it ends with a place to go. */
export function sentence(detail: string): string {
  const text = OPENS.test(detail) ? detail.charAt(0).toUpperCase() + detail.slice(1) : detail
  return /[\p{L}\p{N}'")`]$/u.test(text) && !/\/\S*$/.test(text) ? `${text}.` : text
}

export const asApiError = (e: unknown): ApiError =>
  e instanceof ApiError ? e : new ApiError(0, e instanceof Error ? e.message : String(e), 'portal')
