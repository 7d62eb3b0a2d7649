/** Around every request: a request id, a server span, metrics and one log line. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { context, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import type { Metrics } from './metrics.js'
import { tracer } from './tracing.js'

/** Probes and scrapes are not what users ask of the service: they would drown rates, latencies and logs. */
const QUIET = new Set(['/healthz', '/readyz', '/metrics'])
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/

/** The caller's request id where it is a good one, else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID().replaceAll('-', '')
}

/** The ids of the current span, for every log line. */
export function spanIds(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext()
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {}
}

export function observe(app: FastifyInstance, metrics: Metrics): void {
  const spans = new WeakMap<FastifyRequest, Span>()

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    if (QUIET.has(request.url)) return done()
    const parent = propagation.extract(context.active(), request.headers)
    const span = tracer().startSpan(request.method, { kind: SpanKind.SERVER }, parent)
    spans.set(request, span)
    context.with(trace.setSpan(parent, span), done)
  })

  app.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request)
    if (span) record(request, reply.statusCode, reply.elapsedTime, span, reply.log, metrics)
    done()
  })
}

function record(
  request: FastifyRequest,
  status: number,
  milliseconds: number,
  span: Span,
  log: FastifyBaseLogger,
  metrics: Metrics,
): void {
  const route = request.routeOptions.url ?? 'unmatched'
  metrics.observe(request.method, route, status, milliseconds / 1000)
  span.updateName(`${request.method} ${route}`)
  span.setAttributes({
    'http.request.method': request.method,
    'http.route': route,
    'http.response.status_code': status,
  })
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
  const path = request.url.split('?', 1)[0]
  const duration_ms = Math.round(milliseconds * 100) / 100
  log.info({ method: request.method, path, route, status, duration_ms }, 'request')
}
