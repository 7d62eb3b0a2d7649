/** What the platform relies on: probes, metrics, request ids, problems, settings, the description of the API. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { Health } from '../src/health.js'
import { loadSettings, SettingsError } from '../src/settings.js'
import { testApp } from './app.js'

test('it is alive, and ready until it drains or a dependency fails', async () => {
  const health = new Health()
  const app = await testApp(health)
  const status = async (url: string) => (await app.inject(url)).statusCode
  assert.deepEqual([await status('/healthz'), await status('/readyz')], [200, 200])
  health.check = () => Promise.reject(new Error('the database is gone'))
  assert.deepEqual([await status('/healthz'), await status('/readyz')], [200, 503])
  health.check = async () => {}
  health.draining = true
  assert.equal(await status('/readyz'), 503)
})

test('requests are counted by route, probes are not', async () => {
  const app = await testApp()
  await app.inject('/nothing/here')
  await app.inject('/healthz')
  const { body } = await app.inject('/metrics')
  assert.match(body, /http_requests_total\{method="GET",route="unmatched",status="404"\} 1/)
  assert.doesNotMatch(body, /route="\/healthz"/)
})

test('a good request id is carried on, any other is replaced', async () => {
  const app = await testApp()
  const given = async (id: string) =>
    (await app.inject({ url: '/nothing', headers: { 'x-request-id': id } })).headers['x-request-id']
  assert.equal(await given('abc-1'), 'abc-1')
  assert.match(String(await given('a b')), /^[0-9a-f]{32}$/)
})

test('errors are problem documents', async () => {
  const answer = await (await testApp()).inject('/nothing')
  assert.equal(answer.statusCode, 404)
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  assert.equal(answer.json().status, 404)
})

test('every wrong setting is named at once', () => {
  assert.throws(
    () => loadSettings({ PORT: 'high', LOG_LEVEL: 'loud' }),
    (error: unknown) => error instanceof SettingsError && /LOG_LEVEL[\s\S]*PORT/.test(error.message),
  )
})

test('openapi.json describes the API as it is: npm run openapi', async () => {
  const app = await testApp()
  await app.ready()
  assert.deepEqual(JSON.parse(await readFile('openapi.json', 'utf8')), JSON.parse(JSON.stringify(app.swagger())))
})
