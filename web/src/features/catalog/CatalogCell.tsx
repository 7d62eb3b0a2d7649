/** One value in the catalog's table, as its column shows it. */
import type { Cell, Entity, MatrixRow } from '~/api/types'
import { cellState } from '~/components/cell-state'
import { EntityLink } from '~/components/EntityLink'
import { Ago } from '~/ui/parts'
import { Dot, StatusBadge, toneOf } from '~/ui/Status'
import { count } from '~/ui/time'
import s from './catalog.module.css'
import { type Column, valuesAt } from './columns'

/** Pixels of the column for tags, of what stands around a tag's letters, and of a letter. */
const TAGS_WIDTH = 156
const AROUND = 18
const LETTER = 6.2
type Props = { entity: Entity; column: Column; cells?: MatrixRow['cells'] }

export function CatalogCell({ entity: e, column: c, cells }: Props) {
  if (c.type === 'running') return cells ? <Running cells={cells} /> : null
  const values = c.type === 'owner' ? ownersOf(e) : valuesAt(e, c.path)
  const [first] = values
  if (first === undefined) return null
  if (c.type === 'owner') return <EntityLink entity={first} defaultKind="group" />
  if (c.type === 'reference' && c.kind) return <References refs={values} kind={c.kind} namespace={e.metadata.namespace} />
  if (c.type === 'lifecycle') return <StatusBadge tone={toneOf(first)}>{first}</StatusBadge>
  if (c.type === 'tags' || c.type === 'strings') return <Tags values={values} />
  if (c.type === 'boolean') return first === 'true' ? 'Yes' : 'No'
  if ((c.type === 'integer' || c.type === 'number') && Number.isFinite(Number(first)))
    return <span className="num">{c.type === 'integer' ? count(Number(first)) : Number(first).toLocaleString()}</span>
  const text = values.join(', ')
  return (
    <span className="trunc" title={text}>
      {text}
    </span>
  )
}

const ownersOf = (e: Entity): string[] => {
  const related = e.relations?.filter((r) => r.type === 'ownedBy').map((r) => r.targetRef) ?? []
  return related.length ? related : valuesAt(e, 'spec.owner')
}

/** A bare name means the namespace of the entity that says it. */
function References({ refs, kind, namespace }: { refs: string[]; kind: string; namespace?: string }) {
  const full = (ref: string) => (ref.includes('/') || ref.includes(':') || !namespace ? ref : `${kind}:${namespace}/${ref}`)
  return (
    <span className={s.tags}>
      {refs.slice(0, 2).map((ref) => (
        <EntityLink key={ref} entity={full(ref)} defaultKind={kind} icon={refs.length === 1} />
      ))}
      {refs.length > 2 && <More values={refs.slice(2)} />}
    </span>
  )
}

function fitting(tags: string[]): number {
  let room = TAGS_WIDTH
  for (const [i, tag] of tags.entries()) {
    room -= tag.length * LETTER + AROUND
    if (i > 0 && room < (i < tags.length - 1 ? AROUND : 0)) return i
  }
  return tags.length
}

/** As many as fit whole, and how many more there are. */
function Tags({ values }: { values: string[] }) {
  const shown = fitting(values)
  return (
    <span className={s.tags}>
      {values.slice(0, shown).map((t) => (
        <span key={t} className={s.tag}>
          {t}
        </span>
      ))}
      {values.length > shown && <More values={values.slice(shown)} />}
    </span>
  )
}
const NAMED = 50
const More = ({ values }: { values: string[] }) => (
  <span
    className="t3 num"
    style={{ flex: 'none' }}
    title={[...values.slice(0, NAMED), ...(values.length > NAMED ? ['…'] : [])].join(', ')}
  >
    +{count(values.length)}
  </span>
)

/** A dot per environment, then what is newest. */
function Running({ cells }: { cells: MatrixRow['cells'] }) {
  const there = Object.entries(cells).filter((c): c is [string, Cell] => Boolean(c[1]))
  const newest = there.map(([, c]) => c).sort((a, b) => (b.deployed_at ?? 0) - (a.deployed_at ?? 0))[0]
  if (!newest) return null
  return (
    <span className={s.running}>
      {there.map(([env, c]) => (
        <Dot key={env} tone={cellState(c).tone} title={`${env}: ${c.version}, ${cellState(c).text}`} />
      ))}
      <span className="mono t2">{newest.version?.slice(0, 12)}</span>
      <Ago at={newest.deployed_at} className="t3" />
    </span>
  )
}
