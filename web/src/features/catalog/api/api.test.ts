import { expect, test } from 'vitest'
import { found } from './model'
import { readDefinition } from './read'
import { curlOf, requestOf } from './request'

test('OpenAPI: shared parameters, references in circles and a request as a command', async () => {
  const model = await readDefinition(
    'openapi',
    `
openapi: 3.1.0
info: { title: shop, version: 1.2.0 }
servers: [{ url: "https://{env}.shop.example/v1", variables: { env: { default: live } } }]
paths:
  /orders/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    put:
      tags: [orders]
      requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
      responses: { "200": { description: Saved, content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Order" } } } } } }
components:
  schemas:
    Order:
      required: [total]
      properties: { total: { type: integer }, before: { $ref: "#/components/schemas/Order" }, to: { type: object, properties: { city: { type: string } } } }
`,
  )
  const operation = model.groups[0]?.operations[0]
  if (!operation) throw new Error('no operation')
  expect([model.title, model.groups[0]?.name, operation.id]).toEqual(['shop', 'orders', 'put /orders/{id}'])
  expect(operation.body?.fields.map((f) => `${f.name} ${f.type} ${f.required}`)).toEqual([
    'total integer true', 'before Order false', 'to object false', 'to.city string false',
  ]) // prettier-ignore
  expect(operation.answers[0]?.type).toBe('Order[]')
  expect([found(model, 'put /ord').length, found(model, 'post').length]).toEqual([1, 0])
  const given = { server: model.servers[0]?.url ?? '', values: { 'path id': "it's/1" }, body: '{"total":1}', authorization: '' }
  expect(curlOf(requestOf(operation, given))).toContain(`curl -i -X PUT 'https://live.shop.example/v1/orders/it'\\''s%2F1'`)
})

test('AsyncAPI 2 and 3 name channel, direction and messages', async () => {
  const three = await readDefinition('asyncapi', '{asyncapi: 3.0.0, channels: {placed: {address: shop.placed, messages: {order: {payload: {type: object, properties: {at: {type: string}}}}}}}, operations: {onPlaced: {action: receive, channel: {$ref: "#/channels/placed"}}}}') // prettier-ignore
  const two = await readDefinition('asyncapi', '{asyncapi: 2.6.0, channels: {shop.placed: {subscribe: {message: {name: order, payload: {type: object, properties: {at: {type: string}}}}}}}}') // prettier-ignore
  for (const [model, verb] of [[three, 'receive'], [two, 'subscribe']] as const) {
    const operation = model.groups[0]?.operations[0]
    expect([operation?.verb, operation?.title, operation?.answers[0]?.name]).toEqual([verb, 'shop.placed', 'order'])
    expect(operation?.answers[0]?.fields?.map((f) => f.name)).toEqual(['at'])
  } // prettier-ignore
})

test('GraphQL: roots become operations, the rest types', async () => {
  const model = await readDefinition('graphql', 'type Query { order(id: ID!): Order } extend type Query { "All" orders: [Order!]! } type Order { id: ID! } enum State { OPEN DONE } union Any = Order') // prettier-ignore
  expect(model.groups.map((g) => [g.name, g.operations.map((o) => `${o.title}: ${o.answers[0]?.type}`)])).toEqual([['Queries', ['order: Order', 'orders: [Order!]!']]]) // prettier-ignore
  expect(model.shapes.map((s) => `${s.what} ${s.name} ${s.values ?? ''}`)).toEqual(['object Order ', 'enum State OPEN,DONE', 'union Any Order']) // prettier-ignore
  await expect(readDefinition('graphql', 'type {')).rejects.toThrow('Syntax Error')
})

test('proto: services, streams, nested messages, choices and options', async () => {
  const model = await readDefinition(
    'grpc',
    `syntax = "proto3"; package shop.v1; option go_package = "x;y";
    // Takes orders.
    service Orders { // Places one.
      rpc Place(Order) returns (Answer) { option (google.api.http) = { post: "/v1" body: "*" }; }
      rpc Watch (stream Order) returns (stream Answer);
    }
    message Order { reserved 2; map<string, int32> items = 1 [(x) = {a: 1}]; repeated Line lines = 3; oneof to { string city = 4; } message Line { string sku = 1; } }
    enum State { option allow_alias = true; OPEN = 0; DONE = 1 [deprecated = true]; }`,
  )
  expect(model.title).toBe('shop.v1')
  expect(model.groups.map((g) => [g.name, g.operations.map((o) => `${o.verb} ${o.title} ${o.inputs[0]?.type} ${o.answers[0]?.type}`)])).toEqual([['Orders', ['rpc Place Order Answer', 'stream Watch stream Order stream Answer']]]) // prettier-ignore
  expect(model.shapes.map((s) => [s.name, s.fields.map((f) => `${f.type} ${f.name}`), s.values])).toEqual([
    ['Order', ['map<string, int32> items', 'repeated Line lines', 'string city'], undefined],
    ['Order.Line', ['string sku'], undefined],
    ['State', [], ['OPEN', 'DONE']],
  ])
})
