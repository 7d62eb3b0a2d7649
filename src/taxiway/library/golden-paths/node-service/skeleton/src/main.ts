#!/usr/bin/env node
/** Start, signals, shutdown. */
import { setTimeout as wait } from 'node:timers/promises'
import { createApp } from './app.js'
{%- if values.database %}
import { openDatabase } from './database.js'
{%- endif %}
import { Health } from './health.js'
{%- if values.database %}
import { PostgresItems } from './items/repository.js'
{%- endif %}
import { loadSettings, SettingsError } from './settings.js'
import { configureTracing } from './tracing.js'

async function main(): Promise<void> {
  const settings = loadSettings(process.env)
  const tracing = configureTracing(settings.otlpEndpoint)
  const health = new Health()
{%- if values.database %}
  const database = await openDatabase(settings.database)
  health.check = () => database.check()
  const app = await createApp({ settings, health, items: new PostgresItems(database.pool) })
  app.addHook('onClose', () => database.close())
{%- else %}
  const app = await createApp({ settings, health })
{%- endif %}
  app.addHook('onClose', () => tracing.shutdown())
  await app.listen({ host: settings.host, port: settings.port })

  const stop = async (): Promise<void> => {
    health.draining = true
    app.log.info('shutting down')
    setTimeout(() => process.exit(1), (settings.drainSeconds + settings.timeoutSeconds) * 1000).unref()
    await wait(settings.drainSeconds * 1000)
    await app.close()
    process.exit(0)
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

main().catch((error: unknown) => {
  console.error(error instanceof SettingsError ? error.message : error)
  process.exit(3)
})
