/** A definition's text as a model. Throws an Error in words when it is not what its type says. */
import { type ApiModel, isObject } from './model'

const LARGEST = 2_000_000

export async function readDefinition(type: string, text: string): Promise<ApiModel> {
  if (text.length > LARGEST) throw new Error(`It has ${Math.round(text.length / 1e6)} MB: more than a page can show.`)
  if (type === 'graphql') return (await import('./graphql')).readGraphql(text)
  if (type === 'grpc') return (await import('./proto')).readProto(text)
  const { load } = await import('js-yaml')
  const root: unknown = load(text)
  if (!isObject(root)) throw new Error('It is not a document of names and values.')
  if (root.openapi !== undefined || root.swagger !== undefined) return (await import('./openapi')).readOpenApi(root)
  if (root.asyncapi !== undefined) return (await import('./asyncapi')).readAsyncApi(root)
  throw new Error('It has neither "openapi", "swagger" nor "asyncapi" at its top.')
}
/** Which of an API entity's types have a page; others show their text only. */
export const READABLE = new Set(['openapi', 'asyncapi', 'graphql', 'grpc', 'swagger'])
