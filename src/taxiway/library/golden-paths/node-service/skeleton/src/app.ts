/** Assembles the HTTP application. Everything it needs is passed in, so tests build one without {% if values.database %}a database{% else %}a network{% endif %}. */
import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
{%- if values.database %}
import { type Health, healthRoutes } from './health.js'
import type { ItemRepository } from './items/repository.js'
import { itemRoutes } from './items/routes.js'
{%- else %}
import { greetingRoutes } from './greetings.js'
import { type Health, healthRoutes } from './health.js'
{%- endif %}
import { Metrics, metricsRoute } from './metrics.js'
import { observe, requestId, spanIds } from './observing.js'
import { problemHandlers } from './problems.js'
import { SERVICE, VERSION } from './service.js'
import type { Settings } from './settings.js'

export interface Parts {
  readonly settings: Pick<Settings, 'logLevel'>
  readonly health: Health
{%- if values.database %}
  readonly items: ItemRepository
{%- endif %}
  /** Log lines go to standard output unless tests say otherwise. */
  readonly quiet?: boolean
}

export async function createApp(parts: Parts): Promise<FastifyInstance> {
  const app = Fastify({
    genReqId: requestId,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    ajv: { customOptions: { removeAdditional: false } },
    logger: parts.quiet
      ? false
      : {
          level: parts.settings.logLevel,
          messageKey: 'message',
          base: null,
          timestamp: () => `,"time":"${new Date().toISOString()}"`,
          formatters: { level: (label) => ({ level: label.toUpperCase() }) },
          mixin: spanIds,
        },
  })
  const metrics = new Metrics()
  observe(app, metrics)
  problemHandlers(app)
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: SERVICE, version: VERSION } } })
  await app.register(async (inside) => {
    healthRoutes(inside, parts.health)
    metricsRoute(inside, metrics)
    inside.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
{%- if values.database %}
    itemRoutes(inside, parts.items)
{%- else %}
    greetingRoutes(inside)
{%- endif %}
  })
  return app
}
