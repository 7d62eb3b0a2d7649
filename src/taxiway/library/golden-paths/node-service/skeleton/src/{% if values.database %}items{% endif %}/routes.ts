/** HTTP face of the items resource. */
import type { FastifyInstance } from 'fastify'
import { PROBLEM_SCHEMA, Problem } from '../problems.js'
import { DuplicateNameError, ITEM, ITEM_PAGE, type Item, type ItemPage, NEW_ITEM, type NewItem } from './model.js'
import type { ItemRepository } from './repository.js'

const ID = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const
const PARAMS = { type: 'object', required: ['id'], properties: { id: ID } } as const
const QUERY = {
  type: 'object',
  properties: {
    after: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
    limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
  },
} as const

export function itemRoutes(app: FastifyInstance, items: ItemRepository): void {
  const about = (operationId: string, summary: string, status: number, answer: object) => ({
    operationId,
    summary,
    tags: ['items'],
    response: { [status]: answer, default: PROBLEM_SCHEMA },
  })

  app.post<{ Body: NewItem }>(
    '/items',
    { schema: { ...about('createItem', 'Create an item', 201, ITEM), body: NEW_ITEM } },
    async (request, reply): Promise<Item> => {
      const name = request.body.name.trim()
      try {
        const made = await items.add({ ...request.body, name })
        reply.code(201).header('location', `/items/${made.id}`)
        return made
      } catch (error) {
        if (!(error instanceof DuplicateNameError)) throw error
        throw new Problem(409, `An item named '${name}' exists; choose another name.`)
      }
    },
  )

  app.get<{ Querystring: { after: number; limit: number } }>(
    '/items',
    { schema: { ...about('listItems', 'List items', 200, ITEM_PAGE), querystring: QUERY } },
    async (request): Promise<ItemPage> => {
      const { after, limit } = request.query
      // One more than the page is read, to know whether another page follows.
      const found = await items.list(after, limit + 1)
      const page = found.slice(0, limit)
      return { items: page, next_after: found.length > limit ? (page.at(-1)?.id ?? null) : null }
    },
  )

  app.get<{ Params: { id: number } }>(
    '/items/:id',
    { schema: { ...about('getItem', 'Read an item', 200, ITEM), params: PARAMS } },
    async (request): Promise<Item> => {
      const found = await items.get(request.params.id)
      if (found === undefined) throw new Problem(404, `There is no item ${request.params.id}.`)
      return found
    },
  )

  app.delete<{ Params: { id: number } }>(
    '/items/:id',
    { schema: { ...about('deleteItem', 'Delete an item', 204, { type: 'null' }), params: PARAMS } },
    async (request, reply): Promise<void> => {
      if (!(await items.delete(request.params.id))) throw new Problem(404, `There is no item ${request.params.id}.`)
      reply.code(204)
    },
  )
}
