/** OpenAPI 3 and Swagger 2 as operations by tag. */
import { type ApiModel, entries, type Field, grouped, isObject, type Json, list, object, type Operation, words } from './model'
import { exampleOf, fieldsOf, follow, shapesOf, typeOf } from './schema'

const VERBS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

export function readOpenApi(root: Json): ApiModel {
  const info = object(root.info)
  const pairs = entries(root.paths).flatMap(([path, item]) => {
    const whole = item.$ref ? follow(root, item) : item
    return VERBS.filter((verb) => isObject(whole[verb])).map((verb): [string, Operation] => {
      const op = object(whole[verb])
      return [words(list(op.tags)[0]) ?? 'Operations', operationOf(root, path, verb, op, list(whole.parameters))]
    })
  })
  return {
    title: words(info.title),
    version: words(info.version),
    description: words(info.description),
    servers: serversOf(root),
    groups: grouped(pairs),
    shapes: shapesOf(root, object(root.components).schemas ?? root.definitions),
  }
}

function serversOf(root: Json): ApiModel['servers'] {
  if (typeof root.host === 'string') {
    const base = words(root.basePath) ?? ''
    const schemes = list(root.schemes).map(String)
    return (schemes.length ? schemes : ['https']).map((scheme) => ({ url: `${scheme}://${String(root.host)}${base}` }))
  }
  return list(root.servers).map(object).flatMap((server) => {
    const variables = object(server.variables)
    const url = words(server.url)?.replace(/\{(\w+)\}/g, (whole, name: string) => words(object(variables[name]).default) ?? whole)
    return url ? [{ url, description: words(server.description) }] : []
  }) // prettier-ignore
}

function operationOf(root: Json, path: string, verb: string, op: Json, shared: unknown[]): Operation {
  const given = [...shared, ...list(op.parameters)].map((p) => follow(root, p))
  const last = new Map(given.map((p) => [`${String(p.in)} ${String(p.name)}`, p]))
  const parameters = [...last.values()]
  const inputs = parameters.filter((p) => p.in !== 'body').map((p): Field => ({
    name: words(p.name) ?? '',
    type: typeOf(p.schema ?? p),
    required: p.required === true || p.in === 'path',
    description: words(p.description),
    place: words(p.in),
  })) // prettier-ignore
  const old = parameters.find((p) => p.in === 'body')
  const [media, content] = entries(follow(root, op.requestBody).content)[0] ?? []
  const schema = content?.schema ?? old?.schema
  return {
    id: `${verb} ${path}`,
    verb: verb.toUpperCase(),
    title: path,
    summary: words(op.summary),
    description: words(op.description),
    deprecated: op.deprecated === true,
    inputs,
    body: schema
      ? {
          type: typeOf(schema),
          fields: fieldsOf(root, schema),
          example: content?.example ?? exampleOf(root, schema),
          media: media ?? 'application/json',
        }
      : undefined,
    answers: entries(op.responses).map(([name, raw]) => {
      const answer = follow(root, raw)
      const body = entries(answer.content)[0]?.[1].schema ?? answer.schema
      return {
        name,
        type: body ? typeOf(body) : undefined,
        description: words(answer.description),
        fields: body && !object(body).$ref ? fieldsOf(root, body) : [],
      }
    }),
  }
}
