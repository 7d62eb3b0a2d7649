import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { ArrowDown, ArrowUp, TriangleAlert } from 'lucide-react'
import { type CSSProperties, type KeyboardEvent, memo, useId, useMemo, useRef, useState } from 'react'
import { matrixQuery } from '~/api/queries'
import { entityRef, splitRef, titleOf } from '~/api/refs'
import type { Entity, MatrixRow } from '~/api/types'
import { KindIcon } from '~/ui/KindIcon'
import { sortedBy } from './catalog-filter'
import s from './catalog.module.css'
import { CatalogCell } from './CatalogCell'
import { type Column, placesOf, RUNNING } from './columns'

const NAME = 'metadata.name'
const NAME_WIDTH = 240
type Place = 'narrow' | 'medium' | 'wide'
type Props = { rows: Entity[]; columns: Column[]; total: number; stale: boolean; sort?: string; onSort: (v?: string) => void }

/** One page of the server's answer. Arrows or j and k move, Enter opens. */
export function CatalogTable({ rows, columns, total, stale, sort, onSort }: Props) {
  const nav = useNavigate()
  const box = useRef<HTMLDivElement>(null)
  const id = useId()
  const [at, setAt] = useState(-1)
  const open = (e: Entity) => void nav({ to: '/catalog/$kind/$namespace/$name', params: splitRef(entityRef(e)) })
  const enter = () => {
    if (document.activeElement === box.current) return
    box.current?.focus()
    if (at < 0) setAt(0)
  }
  useHotkeys([['j', enter]])
  const onKey = (e: KeyboardEvent) => {
    const step = e.key === 'ArrowDown' || e.key === 'j' ? 1 : e.key === 'ArrowUp' || e.key === 'k' ? -1 : 0
    if (step) {
      e.preventDefault()
      const next = Math.max(0, Math.min(rows.length - 1, at + step))
      setAt(next)
      box.current?.querySelectorAll('[data-row]')[next]?.scrollIntoView({ block: 'nearest' })
    }
    const row = rows[at]
    if (e.key === 'Enter' && row && e.target === e.currentTarget) open(row)
  }
  const { data: matrix } = useQuery({ ...matrixQuery(), retry: false, enabled: columns.some((c) => c.path === RUNNING) })
  const cells = useMemo(() => new Map(matrix?.services.map((r) => [r.ref, r.cells])), [matrix])
  const places = useMemo(() => placesOf(columns), [columns])
  const heads = [{ path: NAME, title: 'Name', sortable: true, place: 'narrow' as Place, number: false }, ...columns.map((c, n) => ({ ...c, place: places[n] ?? 'wide', number: isNumber(c) }))] // prettier-ignore
  const { path: by, down } = sortedBy(sort)
  const next = (path: string, number: boolean) => {
    const key = number ? `${path},number` : path
    return by !== path ? key : down ? undefined : `-${key}`
  }
  return (
    <div
      ref={box}
      className={s.scroll}
      style={widths(columns, places)}
      role="grid"
      aria-label="Entities"
      aria-rowcount={total}
      aria-colcount={heads.length}
      aria-busy={stale}
      aria-activedescendant={rows[at] && `${id}-${at}`}
      tabIndex={0}
      onKeyDown={onKey}
    >
      <div role="rowgroup">
        <div className={s.thead} role="row">
          {heads.map(({ path, title, sortable, place, number }) => {
            const dir = by !== path ? 'none' : down ? 'descending' : 'ascending'
            return (
              <div key={path} role="columnheader" aria-sort={sortable ? dir : undefined} data-at={place} data-number={number || undefined}>
                {sortable ? (
                  <button type="button" className={s.th} onClick={() => onSort(next(path, number))}>
                    {title}
                    {dir === 'ascending' && <ArrowUp size={12} aria-hidden />}
                    {dir === 'descending' && <ArrowDown size={12} aria-hidden />}
                  </button>
                ) : (
                  <span className={s.th}>{title}</span>
                )}
              </div>
            )
          })}
        </div>
      </div>
      <div role="rowgroup" style={{ opacity: stale ? 0.6 : 1 }}>
        {rows.map((e, i) => (
          <Row key={entityRef(e)} id={`${id}-${i}`} entity={e} index={i} focused={i === at} open={open} cells={cells.get(entityRef(e))} columns={columns} places={places} />
        ))}
      </div>
    </div>
  ) // prettier-ignore
}

const isNumber = (c: Column) => c.type === 'integer' || c.type === 'number'

/** Header and rows have the same tracks, one set for each width of the screen. */
function widths(columns: Column[], places: Place[]): CSSProperties {
  const tracks = (shown: Place[]) =>
    columns.filter((_, n) => shown.includes(places[n] ?? 'wide')).map(({ width: [least, most] }) => `minmax(${least}px, ${most}px)`) // prettier-ignore
  const join = (name: string, shown: Place[]) => [`minmax(${name}, 1fr)`, ...tracks(shown)].join(' ')
  return {
    '--wide': join(`${NAME_WIDTH}px`, ['narrow', 'medium', 'wide']),
    '--medium': join('200px', ['narrow', 'medium']),
    '--narrow': join('0', ['narrow']),
    '--least': `${columns.reduce((sum, c) => sum + c.width[0], NAME_WIDTH) + 56}px`,
  } as CSSProperties
}

type RowProps = {
  id: string
  entity: Entity
  index: number
  focused: boolean
  open: (e: Entity) => void
  cells?: MatrixRow['cells']
  columns: Column[]
  places: Place[]
}
const Row = memo(function Row({ id, entity: e, index, focused, open, cells, columns, places }: RowProps) {
  const problems = e.status?.items?.filter((i) => i.level === 'error').length ?? 0
  return (
    <div
      role="row"
      id={id}
      data-row
      aria-rowindex={index + 2}
      data-focus={focused || undefined}
      className={s.row}
      onClick={(ev) => {
        if (!(ev.target as HTMLElement).closest('a')) open(e)
      }}
    >
      <div role="gridcell" data-at="narrow" className={s.td}>
        <span className={s.name}>
          <KindIcon kind={e.kind} size={26} />
          <span style={{ minWidth: 0 }}>
            <span className={s.titleRow}>
              <Link to="/catalog/$kind/$namespace/$name" params={splitRef(entityRef(e))} className={s.title}>
                {titleOf(e)}
              </Link>
              {problems > 0 && (
                <TriangleAlert size={13} style={{ color: 'var(--c-warn-dot)' }} role="img" aria-label={`${problems} problems`} />
              )}
            </span>
            <span className={`${s.desc} trunc`}>{e.metadata.description ?? e.kind.toLowerCase()}</span>
          </span>
        </span>
      </div>
      {columns.map((c, n) => (
        <div key={c.path} role="gridcell" data-at={places[n]} data-number={isNumber(c) || undefined} className={s.td}>
          <CatalogCell entity={e} column={c} cells={cells} />
        </div>
      ))}
    </div>
  ) // prettier-ignore
})
