// Every method of Backstage's own catalog client against the server at CATALOG_URL: `node main.mjs`, in a folder that
// holds its installed package. Files below FOLDER are a.yaml, b.yaml and root.yaml, which leads to both.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'

const require = createRequire(process.cwd() + '/')
const { CatalogClient } = require('@backstage/catalog-client')
const { CATALOG_URL, TOKEN, FOLDER } = process.env
const client = new CatalogClient({ discoveryApi: { getBaseUrl: async plugin => `${CATALOG_URL}/api/${plugin}` } })
const me = { token: TOKEN }
const names = items => items.map(item => item?.metadata.name ?? null)
const fails = (promise, status) => assert.rejects(promise, error => error.name === 'ResponseError' && error.statusCode === status)

const root = `${FOLDER}/root.yaml`
const tried = await client.addLocation({ type: 'file', target: root, dryRun: true }, me)
assert.equal(tried.exists, false)
assert.deepEqual(names(tried.entities).slice(1), ['root', 'cart', 'worker', 'orders'])
const { location } = await client.addLocation({ type: 'file', target: root }, me)
await fails(client.addLocation({ type: 'file', target: root }, me), 409)
assert.equal((await client.addLocation({ type: 'file', target: root, onConflict: 'refresh' }, me)).exists, true)

assert.deepEqual(names((await client.getEntities({ filter: { kind: 'component' } }, me)).items), ['cart', 'worker'])
const some = await client.getEntities(
  { filter: [{ kind: ['api', 'component'], 'spec.type': 'service' }, { 'metadata.name': 'orders' }], fields: ['metadata.name'],
    order: { field: 'metadata.name', order: 'desc' }, limit: 1, offset: 1 }, me)
assert.deepEqual(some.items, [{ metadata: { name: 'orders' } }])

const cart = await client.getEntityByRef('component:default/cart', me)
assert.deepEqual(cart.relations.map(r => r.type), ['ownedBy', 'providesApi'])
assert.equal(await client.getEntityByRef('component:default/nope', me), undefined)
const byRefs = await client.getEntitiesByRefs(
  { entityRefs: ['component:default/worker', 'component:default/nope', 'api:default/orders'], fields: ['metadata.name'] }, me)
assert.deepEqual(names(byRefs.items), ['worker', null, 'orders'])
const filtered = await client.getEntitiesByRefs({ entityRefs: ['component:default/worker'], filter: { kind: 'api' } }, me)
assert.deepEqual(filtered.items, [undefined])

const first = await client.queryEntities({ limit: 2, filter: { 'metadata.tags': 'python' }, orderFields: { field: 'metadata.name', order: 'asc' } }, me)
assert.deepEqual([names(first.items), first.totalItems], [['cart', 'worker'], 2])
const one = await client.queryEntities({ limit: 1, filter: { kind: 'component' }, orderFields: [{ field: 'metadata.name', order: 'desc' }] }, me)
const two = await client.queryEntities({ limit: 1, cursor: one.pageInfo.nextCursor }, me)
const back = await client.queryEntities({ limit: 1, cursor: two.pageInfo.prevCursor }, me)
assert.deepEqual([names(one.items), names(two.items), names(back.items)], [['worker'], ['cart'], ['worker']])
assert.equal(two.pageInfo.nextCursor, undefined)
const text = await client.queryEntities({ fullTextFilter: { term: 'ORK', fields: ['metadata.name'] } }, me)
assert.deepEqual(names(text.items), ['worker'])
const judged = await client.queryEntities({ query: { $all: [{ kind: 'component' }, { $not: { 'metadata.name': { $hasPrefix: 'w' } } }] }, limit: 5 }, me)
assert.deepEqual([names(judged.items), judged.totalItems], [['cart'], 1])
const streamed = []
for await (const page of client.streamEntities({ pageSize: 2 }, me)) streamed.push(...names(page))
assert.deepEqual(streamed.slice(0, 3), ['orders', 'cart', 'worker'])
assert.equal(streamed.length, 5)

const facets = await client.getEntityFacets({ facets: ['kind', 'metadata.tags'], filter: { kind: 'component' } }, me)
assert.deepEqual(facets.facets, { kind: [{ value: 'Component', count: 2 }], 'metadata.tags': [{ value: 'python', count: 2 }] })
const predicate = await client.getEntityFacets({ facets: ['kind'], query: { kind: 'api' } }, me)
assert.deepEqual(predicate.facets, { kind: [{ value: 'API', count: 1 }] })

const ancestry = await client.getEntityAncestors({ entityRef: 'component:default/cart' }, me)
assert.deepEqual(ancestry.items.map(item => item.parentEntityRefs), [['location:default/root'], [location.entityRef], []])
assert.deepEqual((await client.getLocations({}, me)).items, [location])
assert.deepEqual((await client.queryLocations({ query: { type: 'file' } }, me)).items, [location])
assert.deepEqual(await client.getLocationById(location.id, me), location)
assert.equal(await client.getLocationById('nope', me), undefined)
assert.deepEqual(await client.getLocationByRef(`file:${root}`, me), location)
assert.deepEqual(await client.getLocationByEntity('component:default/cart', me), location)
assert.equal(await client.getLocationByEntity('component:default/nope', me), undefined)

writeFileSync(`${FOLDER}/a.yaml`, (await import('node:fs')).readFileSync(`${FOLDER}/a.yaml`, 'utf8').replace('name: worker', 'name: prices'))
await client.refreshEntity('component:default/cart', me)
const orphans = { 'metadata.annotations.backstage.io/orphan': 'true' }
assert.deepEqual(names((await client.getEntities({ filter: { kind: 'component' } }, me)).items), ['cart', 'prices', 'worker'])
assert.deepEqual(names((await client.getEntities({ filter: orphans }, me)).items), ['worker'])
await fails(client.refreshEntity('component:default/nope', me), 404)

const valid = { apiVersion: 'backstage.io/v1alpha1', kind: 'System', metadata: { name: 'x' }, spec: { owner: 'a' } }
assert.deepEqual(await client.validateEntity(valid, 'url:https://host/x', me), { valid: true })
const refused = await client.validateEntity({ ...valid, spec: {} }, 'url:https://host/x', me)
assert.equal(refused.valid, false)
assert.match(refused.errors[0].message, /owner/)
const analysis = await client.analyzeLocation({ location: { type: 'url', target: 'https://github.com/a/b' } }, me)
assert.equal(analysis.generateEntities[0].entity.metadata.name, 'b')

const moved = await client.updateLocation(location.id, { type: 'file', target: `${FOLDER}/b.yaml` }, me)
assert.deepEqual(moved, { ...location, target: `${FOLDER}/b.yaml` })
assert.deepEqual(names((await client.getEntities({ filter: [{ kind: 'component' }, { kind: 'api' }] }, me)).items), ['orders'])
await client.removeEntityByUid((await client.getEntityByRef('api:default/orders', me)).metadata.uid, me)
await client.removeEntityByUid('nope', me)
assert.equal(await client.getEntityByRef('api:default/orders', me), undefined)
await client.removeLocationById(location.id, me)
await fails(client.removeLocationById(location.id, me), 404)
assert.deepEqual((await client.getEntities({}, me)).items, [])
await fails(client.getEntities({}, {}), 401)
console.log('passed')
