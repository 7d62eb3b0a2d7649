/** An application for tests, without {% if values.database %}a database{% else %}a network{% endif %}. */
import type { FastifyInstance } from 'fastify'
import { createApp } from '../src/app.js'
import { Health } from '../src/health.js'
{%- if values.database %}
import { MemoryItems } from './memory.js'
{%- endif %}

export async function testApp(health = new Health()): Promise<FastifyInstance> {
{%- if values.database %}
  return createApp({ settings: { logLevel: 'error' }, health, items: new MemoryItems(), quiet: true })
{%- else %}
  return createApp({ settings: { logLevel: 'error' }, health, quiet: true })
{%- endif %}
}
