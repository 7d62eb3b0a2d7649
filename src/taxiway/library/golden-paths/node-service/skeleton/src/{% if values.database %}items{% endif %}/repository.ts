/** Where items are kept. All SQL of this resource is here; tests/memory.ts is the twin that unit tests use. */
import { SpanStatusCode } from '@opentelemetry/api'
import type pg from 'pg'
import { tracer } from '../tracing.js'
import { DuplicateNameError, type Item, type NewItem } from './model.js'

export interface ItemRepository {
  /** Rejects with DuplicateNameError. */
  add(item: NewItem): Promise<Item>
  get(id: number): Promise<Item | undefined>
  /** At most `limit` items with an id above `after`, in the order of their ids. */
  list(after: number, limit: number): Promise<Item[]>
  /** False when there was none. */
  delete(id: number): Promise<boolean>
}

const COLUMNS = 'id, name, description, created_at'
const UNIQUE_VIOLATION = '23505'

export class PostgresItems implements ItemRepository {
  constructor(private readonly pool: pg.Pool) {}

  async add(item: NewItem): Promise<Item> {
    const sql = `insert into item (name, description) values ($1, $2) returning ${COLUMNS}`
    try {
      const [made] = await this.query('items.add', sql, [item.name, item.description])
      if (made === undefined) throw new Error('the database returned no row')
      return made
    } catch (error) {
      if ((error as { code?: string }).code === UNIQUE_VIOLATION) throw new DuplicateNameError(item.name)
      throw error
    }
  }

  async get(id: number): Promise<Item | undefined> {
    return (await this.query('items.get', `select ${COLUMNS} from item where id = $1`, [id]))[0]
  }

  async list(after: number, limit: number): Promise<Item[]> {
    const sql = `select ${COLUMNS} from item where id > $1 order by id limit $2`
    return this.query('items.list', sql, [after, limit])
  }

  async delete(id: number): Promise<boolean> {
    return (await this.query('items.delete', 'delete from item where id = $1 returning id', [id])).length === 1
  }

  private query(name: string, sql: string, values: unknown[]): Promise<Item[]> {
    return tracer().startActiveSpan(name, async (span) => {
      try {
        return (await this.pool.query(sql, values)).rows.map(item)
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    })
  }
}

/** The driver gives a bigint as text. */
function item(row: { id: string; created_at?: Date; name: string; description: string }): Item {
  return { ...row, id: Number(row.id), created_at: row.created_at?.toISOString() ?? '' }
}
