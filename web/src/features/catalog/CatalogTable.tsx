import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { ArrowDown, ArrowUp, TriangleAlert } from 'lucide-react'
import { type KeyboardEvent, memo, useMemo, useRef, useState } from 'react'
import { matrixQuery } from '~/api/queries'
import { entityRef, splitRef, titleOf } from '~/api/refs'
import type { Cell, Entity, Kind, MatrixRow } from '~/api/types'
import { cellState } from '~/components/cell-state'
import { EntityLink } from '~/components/EntityLink'
import { KindIcon } from '~/ui/KindIcon'
import { Ago } from '~/ui/parts'
import { Dot, StatusBadge, toneOf } from '~/ui/Status'
import s from './catalog.module.css'

const COLUMNS: [id: string, label: string, sortable: boolean][] = [['name', 'Name', true], ['owner', 'Owner', true], ['type', 'Type', true], ['lifecycle', 'Lifecycle', true], ['running', 'Running', false], ['tags', 'Tags', false]] // prettier-ignore
type Props = { rows: Entity[]; total: number; stale: boolean; sort?: string; onSort: (v?: string) => void; kind?: Kind } // prettier-ignore
const MAX_OWN = 5

/** The columns that a kind declares stand in for type, lifecycle, what runs and tags. */
function columnsOf(kind?: Kind): typeof COLUMNS {
  const own = kind?.columns.slice(0, MAX_OWN) ?? []
  return own.length ? [...COLUMNS.slice(0, 2), ...own.map((c): (typeof COLUMNS)[0] => [c.path, c.title, false])] : COLUMNS
}

/** The value at a dotted path, as a cell shows it. A key may hold dots itself, as annotations do. */
export function valueAt(value: unknown, path: string): string {
  if (Array.isArray(value))
    return value
      .map((v) => valueAt(v, path))
      .filter(Boolean)
      .join(', ')
  if (!path)
    return value === null || value === undefined
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value as string | number | boolean)
  if (typeof value !== 'object' || value === null) return ''
  const inner = value as Record<string, unknown>
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const key = path.slice(0, end)
    if (key in inner) return valueAt(inner[key], path.slice(end + 1))
  }
  return ''
}

/** One page of the server's answer. Arrows or j and k move, Enter opens. */
export function CatalogTable({ rows, total, stale, sort, onSort, kind }: Props) {
  const columns = useMemo(() => columnsOf(kind), [kind])
  const own = columns === COLUMNS ? 0 : columns.length - 2
  const nav = useNavigate()
  const box = useRef<HTMLDivElement>(null)
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
  const { data: matrix } = useQuery({ ...matrixQuery(), retry: false })
  const cells = useMemo(() => new Map(matrix?.services.map((r) => [r.ref, r.cells])), [matrix])
  const next = (id: string) => (sort === id ? `-${id}` : sort === `-${id}` ? undefined : id)
  return (
    <div
      ref={box}
      className={own ? `${s.scroll} ${s.own}` : s.scroll}
      style={{ '--own': own } as React.CSSProperties}
      role="grid"
      aria-label="Entities"
      aria-rowcount={total}
      aria-busy={stale}
      tabIndex={0}
      onKeyDown={onKey}
    >
      <div role="rowgroup">
        <div className={s.thead} role="row">
          {columns.map(([id, label, sortable], n) => {
            const dir = sort === id || (!sort && id === 'name') ? 'ascending' : sort === `-${id}` ? 'descending' : 'none'
            return (
              <div key={id} role="columnheader" aria-sort={dir} data-col={own && n > 1 ? 'own' : id}>
                {sortable ? (
                  <button type="button" className={s.th} onClick={() => onSort(next(id))}>
                    {label}
                    {dir === 'ascending' && <ArrowUp size={12} aria-hidden />}
                    {dir === 'descending' && <ArrowDown size={12} aria-hidden />}
                  </button>
                ) : (
                  <span className={s.th}>{label}</span>
                )}
              </div>
            )
          })}
        </div>
      </div>
      <div role="rowgroup" style={{ opacity: stale ? 0.6 : 1 }}>
        {rows.map((e, i) => (
          <Row
            key={entityRef(e)}
            entity={e}
            index={i}
            focused={i === at}
            open={open}
            cells={cells.get(entityRef(e))}
            own={own ? columns : undefined}
          />
        ))}
      </div>
    </div>
  )
}

const Row = memo(function Row({
  entity: e,
  index,
  focused,
  open,
  cells,
  own,
}: {
  entity: Entity
  index: number
  focused: boolean
  open: (e: Entity) => void
  cells?: MatrixRow['cells']
  own?: typeof COLUMNS
}) {
  const spec = (e.spec ?? {}) as Record<string, string | undefined>
  const owner = e.relations?.find((r) => r.type === 'ownedBy')?.targetRef ?? spec.owner
  const problems = e.status?.items?.filter((i) => i.level === 'error').length ?? 0
  return (
    <div
      role="row"
      data-row
      aria-rowindex={index + 2}
      data-focus={focused || undefined}
      className={s.row}
      onClick={(ev) => {
        if (!(ev.target as HTMLElement).closest('a')) open(e)
      }}
    >
      <div role="gridcell" data-col="name" className={s.td}>
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
      <div role="gridcell" data-col="owner" className={s.td}>
        {owner && <EntityLink entity={owner} defaultKind="group" />}
      </div>
      {own
        ? own.slice(2).map(([path]) => (
            <div key={path} role="gridcell" data-col="own" className={s.td}>
              <span className="trunc">{valueAt(e, path)}</span>
            </div>
          ))
        : <Usual entity={e} spec={spec} cells={cells} />}
    </div>
  ) // prettier-ignore
})

function Usual({
  entity: e,
  spec,
  cells,
}: {
  entity: Entity
  spec: Record<string, string | undefined>
  cells?: MatrixRow['cells']
}) {
  return (
    <>
      <div role="gridcell" data-col="type" className={s.td}>
        {spec.type}
      </div>
      <div role="gridcell" data-col="lifecycle" className={s.td}>
        {spec.lifecycle && <StatusBadge tone={toneOf(spec.lifecycle)}>{spec.lifecycle}</StatusBadge>}
      </div>
      <div role="gridcell" data-col="running" className={s.td}>
        {cells && <Running cells={cells} />}
      </div>
      <div role="gridcell" data-col="tags" className={s.td}>
        <span className={s.tags}>
          {e.metadata.tags?.slice(0, 3).map((t) => (
            <span key={t} className={s.tag}>
              {t}
            </span>
          ))}
        </span>
      </div>
    </>
  )
}

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
