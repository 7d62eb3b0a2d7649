/** GraphQL's schema language, read by GraphQL's own parser: queries, mutations, subscriptions and types. */
import {
  type DefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  parse,
  print,
} from 'graphql/language'
import type { ApiModel, Field, Operation, Shape } from './model'

type Said = { description?: { value: string } }
const said = (node: Said) => node.description?.value
const gone = (node: { directives?: readonly { name: { value: string } }[] }) =>
  Boolean(node.directives?.some((d) => d.name.value === 'deprecated'))
const fieldOf = (f: FieldDefinitionNode | InputValueDefinitionNode): Field => {
  const asked = 'arguments' in f && f.arguments?.length ? `(${f.arguments.map((a) => `${a.name.value}: ${print(a.type)}`).join(', ')})` : ''
  return { name: f.name.value + asked, type: print(f.type), required: f.type.kind === Kind.NON_NULL_TYPE, description: said(f) }
} // prettier-ignore

export function readGraphql(text: string): ApiModel {
  const { definitions } = parse(text, { maxTokens: 200_000, noLocation: true })
  const roots = rootsOf(definitions)
  const groups = new Map<string, Operation[]>()
  const shapes: Shape[] = []
  for (const d of definitions) {
    if (!('name' in d) || !d.name || d.kind === Kind.DIRECTIVE_DEFINITION) continue
    const name = d.name.value
    const fields = 'fields' in d ? (d.fields ?? []) : []
    const root = roots.get(name)
    if (root) {
      const operations = fields.map((f) => operationOf(root, f as FieldDefinitionNode))
      groups.set(root, [...(groups.get(root) ?? []), ...operations])
    } else
      shapes.push({
        name,
        what: d.kind.replace(/(Type)?(Definition|Extension)$/, '').replace(/([A-Z])/g, ' $1').trim().toLowerCase(),
        description: said(d as Said),
        fields: fields.map(fieldOf),
        values: 'values' in d ? d.values?.map((v) => v.name.value) : 'types' in d ? d.types?.map((t) => t.name.value) : undefined,
      })
  }
  return { servers: [], groups: [...groups].map(([name, operations]) => ({ name, operations })), shapes }
} // prettier-ignore

function rootsOf(definitions: readonly DefinitionNode[]): Map<string, string> {
  const titles = { query: 'Queries', mutation: 'Mutations', subscription: 'Subscriptions' }
  const roots = new Map([['Query', titles.query], ['Mutation', titles.mutation], ['Subscription', titles.subscription]]) // prettier-ignore
  for (const d of definitions)
    if (d.kind === Kind.SCHEMA_DEFINITION || d.kind === Kind.SCHEMA_EXTENSION)
      for (const o of d.operationTypes ?? []) roots.set(o.type.name.value, titles[o.operation])
  return roots
}

const operationOf = (root: string, f: FieldDefinitionNode): Operation => ({
  id: `${root} ${f.name.value}`,
  verb: root.slice(0, -1).replace(/ie$/, 'y').toLowerCase(),
  title: f.name.value,
  description: said(f),
  deprecated: gone(f),
  inputs: (f.arguments ?? []).map(fieldOf),
  answers: [{ name: 'answers', type: print(f.type) }],
})
