/** Liveness says the process runs; readiness says it should get traffic. */
import type { FastifyInstance } from 'fastify'
import { Problem } from './problems.js'

const CHECK_TIMEOUT_MS = 2000

/** Shared between the server, which starts the drain, and the readiness probe, which reports it. */
export class Health {
  draining = false
  /** Rejects when something that the service depends on does not answer. */
  check: () => Promise<void> = async () => {}
}

export function healthRoutes(app: FastifyInstance, health: Health): void {
  app.get('/healthz', { schema: { hide: true } }, async () => 'ok')
  app.get('/readyz', { schema: { hide: true } }, async (request) => {
    if (health.draining) throw new Problem(503, 'Shutting down.')
    try {
      await within(health.check(), CHECK_TIMEOUT_MS)
    } catch (error) {
      request.log.warn({ reason: String(error) }, 'not ready')
      throw new Problem(503, 'A dependency does not answer; the log says which.')
    }
    return 'ready'
  })
}

async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
