/** Errors as RFC 9457 problem documents. */
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'

export const MEDIA_TYPE = 'application/problem+json'

export interface InvalidField {
  readonly field: string
  readonly message: string
}

/** An answer with this status; the detail is for whoever asked. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail)
  }
}

/** What an operation can answer besides its success. */
export const PROBLEM_SCHEMA = {
  description: 'Any error, as an RFC 9457 problem',
  content: {
    [MEDIA_TYPE]: {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          errors: {
            type: 'array',
            items: {
              type: 'object',
              required: ['field', 'message'],
              properties: { field: { type: 'string' }, message: { type: 'string' } },
            },
          },
        },
      },
    },
  },
}

function answer(reply: FastifyReply, status: number, detail: string, errors?: readonly InvalidField[]): FastifyReply {
  const problem = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, errors }
  return reply.code(status).type(MEDIA_TYPE).serializer(JSON.stringify).send(problem)
}

export function problemHandlers(app: FastifyInstance): void {
  app.setNotFoundHandler((_, reply) => answer(reply, 404, 'Not Found'))
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof Problem) return answer(reply.headers(error.headers), error.status, error.detail)
    if (error.validation) {
      const errors = error.validation.map((one) => ({
        field: [error.validationContext, ...one.instancePath.split('/').slice(1)].join('.'),
        message: one.message ?? 'is not valid',
      }))
      return answer(reply, 422, 'The request is not valid; see errors.', errors)
    }
    if (error.statusCode !== undefined && error.statusCode < 500) return answer(reply, error.statusCode, error.message)
    request.log.error({ err: error }, 'request failed')
    return answer(reply, 500, 'The server could not handle this request; quote the request id.')
  })
}
