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

export const asApiError = (e: unknown): ApiError =>
  e instanceof ApiError ? e : new ApiError(0, e instanceof Error ? e.message : String(e), 'portal')
