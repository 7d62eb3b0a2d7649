/** AsyncAPI 2 and 3: what is sent and received on which channel, with which messages. */
import { type Answer, type ApiModel, entries, grouped, type Json, list, object, type Operation, words } from './model'
import { fieldsOf, follow, lastPart, shapesOf, typeOf } from './schema'

export function readAsyncApi(root: Json): ApiModel {
  const info = object(root.info)
  const three = String(root.asyncapi).startsWith('3')
  return {
    title: words(info.title),
    version: words(info.version),
    description: words(info.description),
    servers: entries(root.servers).map(([name, s]) => ({
      url: words(s.url) ?? `${words(s.protocol) ?? ''}://${words(s.host) ?? ''}${words(s.pathname) ?? ''}`,
      description: [name, words(s.protocol)].filter(Boolean).join(', '),
    })),
    groups: grouped(three ? operationsOf3(root) : operationsOf2(root)),
    shapes: shapesOf(root, object(root.components).schemas),
  }
}

function messageOf(root: Json, name: string, raw: unknown): Answer {
  const message = follow(root, raw)
  const payload = message.payload
  return {
    name: words(message.title) ?? words(message.name) ?? name,
    type: payload ? typeOf(payload) : undefined,
    description: words(message.summary) ?? words(message.description),
    fields: payload ? fieldsOf(root, payload) : [],
  }
}

function operationsOf3(root: Json): [string, Operation][] {
  const spoken = new Set<string>()
  const found = entries(root.operations).map(([id, op]): [string, Operation] => {
    const ref = words(object(op.channel).$ref) ?? ''
    const channel = follow(root, op.channel)
    spoken.add(lastPart(ref))
    const chosen = list(op.messages)
    const messages = chosen.length
      ? chosen.map((m) => messageOf(root, lastPart(words(object(m).$ref) ?? 'message'), m))
      : entries(channel.messages).map(([name, m]) => messageOf(root, name, m))
    return [lastPart(ref) || 'Operations', operation(id, words(op.action) ?? 'send', words(channel.address) ?? lastPart(ref), op, channel, messages)]
  })
  const silent = entries(root.channels).filter(([name]) => !spoken.has(name))
  return [
    ...found,
    ...silent.map(([name, channel]): [string, Operation] => [
      name,
      operation(name, 'channel', words(channel.address) ?? name, channel, channel, entries(channel.messages).map(([n, m]) => messageOf(root, n, m))),
    ]),
  ]
} // prettier-ignore

/** In version 2 the words are the client's: who publishes here is received by the application. */
function operationsOf2(root: Json): [string, Operation][] {
  return entries(root.channels).flatMap(([address, channel]) =>
    ['publish', 'subscribe']
      .filter((verb) => channel[verb])
      .map((verb): [string, Operation] => {
        const op = object(channel[verb])
        const message = object(op.message)
        const all = list(message.oneOf).length ? list(message.oneOf) : [message]
        const messages = all.map((m) => messageOf(root, lastPart(words(object(m).$ref) ?? 'message'), m))
        return [address, operation(`${verb} ${address}`, verb, address, op, channel, messages)]
      }),
  )
}

const operation = (id: string, verb: string, title: string, op: Json, channel: Json, answers: Answer[]): Operation => ({
  id,
  verb,
  title,
  summary: words(op.summary) ?? words(op.title),
  description: words(op.description) ?? words(channel.description),
  deprecated: op.deprecated === true,
  inputs: entries(channel.parameters).map(([name, p]) => ({ name, type: typeOf(p.schema ?? { type: 'string' }), description: words(p.description) })),
  answers,
}) // prettier-ignore
