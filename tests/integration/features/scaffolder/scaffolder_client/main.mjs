// Backstage's own scaffolder client against the server at URL: `node main.mjs`, in a folder that holds its installed
// package. TEMPLATE is a golden path with the questions `name` and `owner` that waits a second behind its first step.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

// its event source looks for timers and for a page that may be hidden, and for nothing else of a browser
Object.assign(globalThis, { window: globalThis, document: new EventTarget() })
const require = createRequire(process.cwd() + '/')
const { ScaffolderClient } = require('@backstage/plugin-scaffolder-common')
const { URL: server, TOKEN, TEMPLATE } = process.env
const none = { list: () => [] }
const scmIntegrationsApi = Object.fromEntries(
  ['azure', 'bitbucketCloud', 'bitbucketServer', 'gerrit', 'gitea', 'github', 'gitlab'].map(name => [name, none]))
const signed = (url, init = {}) => fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), authorization: `Bearer ${TOKEN}` } })
const base = {
  discoveryApi: { getBaseUrl: async plugin => `${server}/api/${plugin}` },
  fetchApi: { fetch: signed },
  identityApi: { getBackstageIdentity: async () => ({ userEntityRef: 'user:default/dev' }) },
  scmIntegrationsApi,
}
const client = new ScaffolderClient(base)
const polling = new ScaffolderClient({ ...base, useLongPollingLogs: true })
const all = (from, taskId) => new Promise((done, failed) => {
  const events = []
  from.streamLogs({ taskId }).subscribe({ next: event => events.push(event), error: failed, complete: () => done(events) })
})
const fails = (promise, status) => assert.rejects(promise, error => error.name === 'ResponseError' && error.statusCode === status)

const schema = await client.getTemplateParameterSchema(TEMPLATE)
assert.deepEqual(schema.steps.map(step => Object.keys(step.schema.properties)), [['name', 'owner']])
await fails(client.getTemplateParameterSchema('template:default/nope'), 404)
const actions = await client.listActions()
assert.ok(actions.find(action => action.id === 'fetch:template').schema.input.properties.url)
const extensions = await client.listTemplatingExtensions()
assert.ok(extensions.filters.parseRepoUrl && extensions.globals.functions && extensions.globals.values)

const values = { name: 'boxes', owner: 'group:default/makers' }
const template = { apiVersion: 'scaffolder.backstage.io/v1beta3', kind: 'Template', metadata: { name: 'tried' }, spec: {
  type: 'service', owner: 'makers', parameters: [],
  steps: [{ id: 'fetch', name: 'fetch', action: 'fetch:template', input: { url: './skeleton', values: '${{ parameters }}' } }],
  output: { text: [{ title: 'Made', content: '${{ parameters.name }}' }] } } }
const content = Buffer.from('hello ${{ values.name }}').toString('base64')
const tried = await client.dryRun({ template, values, secrets: {}, directoryContents: [{ path: 'skeleton/a.txt', base64Content: content }] })
assert.equal(Buffer.from(tried.directoryContents.find(file => file.path === 'a.txt').base64Content, 'base64').toString(), 'hello boxes')
assert.deepEqual(tried.output.text, [{ title: 'Made', content: 'boxes' }])

const { taskId } = await client.scaffold({ templateRef: TEMPLATE, values })
const events = await all(client, taskId)
assert.deepEqual([events.at(-1).type, events.at(-1).body.status ?? events.at(-1).body.message], ['completion', 'Run completed with status: completed'])
assert.ok(events.some(event => event.type === 'log' && event.body.stepId === 'fetch'))
assert.deepEqual((await all(polling, taskId)).map(event => event.id), events.map(event => event.id))
const task = await client.getTask(taskId)
assert.deepEqual([task.status, task.spec.parameters.name, task.createdBy], ['completed', 'boxes', 'user:default/dev'])
const listed = await client.listTasks({ filterByOwnership: 'owned', limit: 10, offset: 0 })
assert.deepEqual(listed.tasks.map(item => item.id), [taskId])
await assert.rejects(client.scaffold({ templateRef: TEMPLATE, values: { name: 7 } }), /400|422/)

const second = await client.scaffold({ templateRef: TEMPLATE, values: { ...values, name: 'crates' } })
await client.cancelTask(second.taskId)
assert.equal((await all(client, second.taskId)).at(-1).type, 'completion')
assert.equal((await client.getTask(second.taskId)).status, 'cancelled')
assert.deepEqual(await client.getIntegrationsList({ allowedHosts: [] }), { integrations: [] })
await fails(client.getTask('nope'), 404)
console.log('passed')
