/** How one change of a document is told: where, what went and what came. */
import type { EntityChange } from '~/api/types'
import { toYaml } from './yaml'

const isScalar = (value: unknown) => typeof value !== 'object' || value === null
const isPlainList = (value: unknown): value is unknown[] => Array.isArray(value) && value.every(isScalar)
const isNothing = (value: unknown) => value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0) // prettier-ignore
const written = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : isPlainList(value) && value.length ? value.map(String) : [toYaml(value).trimEnd()]

/** `/metadata/tags` as people and filters write it. */
export const pathOf = (pointer: string) =>
  pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.')

/** Of lists only the items that differ; their order is told when nothing else changed. */
export function sidesOf({ op, old, value }: EntityChange): { gone: string[]; come: string[] } {
  const before = op === 'add' ? undefined : old
  const after = op === 'remove' ? undefined : value
  if (isPlainList(before) && isPlainList(after)) {
    const gone = before.filter((v) => !after.includes(v)).map(String)
    const come = after.filter((v) => !before.includes(v)).map(String)
    if (gone.length || come.length) return { gone, come }
  }
  const both = isNothing(before) && isNothing(after)
  return {
    gone: op === 'add' || (isNothing(before) && !both) ? [] : written(before),
    come: op === 'remove' || (isNothing(after) && !both) ? [] : written(after),
  }
}
