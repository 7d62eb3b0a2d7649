/** Values of the items resource. */

export interface NewItem {
  readonly name: string
  readonly description: string
}

export interface Item extends NewItem {
  readonly id: number
  readonly created_at: string
}

export interface ItemPage {
  readonly items: readonly Item[]
  /** Give this as `after` to get the next page; null on the last one. */
  readonly next_after: number | null
}

/** An item of that name exists. */
export class DuplicateNameError extends Error {}

// Control characters are refused: PostgreSQL cannot store NUL, and nobody wants the others in a name.
const LINE = '^[^\\x00-\\x1f\\x7f]*[^\\s\\x00-\\x1f\\x7f][^\\x00-\\x1f\\x7f]*$'
const TEXT = '^[^\\x00-\\x08\\x0b-\\x1f\\x7f]*$'

export const NEW_ITEM = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 100, pattern: LINE },
    description: { type: 'string', maxLength: 1000, pattern: TEXT, default: '' },
  },
} as const

export const ITEM = {
  type: 'object',
  required: ['id', 'name', 'description', 'created_at'],
  properties: {
    id: { type: 'integer' },
    name: { type: 'string' },
    description: { type: 'string' },
    created_at: { type: 'string', format: 'date-time' },
  },
} as const

export const ITEM_PAGE = {
  type: 'object',
  required: ['items', 'next_after'],
  properties: {
    items: { type: 'array', items: ITEM },
    next_after: { type: ['integer', 'null'] },
  },
} as const
