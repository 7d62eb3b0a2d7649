/** The only plain table: keys move between rows, and on a narrow screen each row becomes a card with its labels. */
import { Fragment, type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react'
import s from './table.module.css'
import ui from './ui.module.css'

export type Column<T> = {
  title: string
  cell: (row: T) => ReactNode
  /** The name of the row; one column has it. Its first link or button is where the keys go. */
  head?: boolean
  /** Actions need no visible title. */
  silent?: boolean
  className?: string
}
type Props<T> = {
  label: string
  rows: T[]
  columns: Column<T>[]
  rowKey: (row: T, index: number) => string | number
  current?: (row: T) => boolean
  /** What opens below a row, over its whole width. */
  below?: (row: T) => ReactNode
  /** Short values: two beside each other on a narrow screen. */
  pairs?: boolean
}

const target = (row: Element | undefined) => row?.querySelector<HTMLElement>('a[href], button:not([disabled])') ?? undefined
const step = (key: string) => (key === 'j' || key === 'ArrowDown' ? 1 : key === 'k' || key === 'ArrowUp' ? -1 : 0)
const busy = (e: Event) =>
  e.target instanceof HTMLElement && e.target !== document.body && e.target.id !== 'main' && !e.target.closest('table')

/** j, k and the arrows move between the rows' first links; j alone enters the first table of a page. */
export function useRowKeys(table: React.RefObject<HTMLElement | null>) {
  useEffect(() => {
    const enter = (e: globalThis.KeyboardEvent) => {
      const first = document.querySelector('#main [data-rows]')
      if (e.key !== 'j' || e.metaKey || e.ctrlKey || e.altKey || busy(e) || e.defaultPrevented) return
      if (!table.current || first !== table.current || table.current.contains(document.activeElement)) return
      e.preventDefault()
      target(table.current.querySelector('[data-row]') ?? undefined)?.focus()
    }
    document.addEventListener('keydown', enter)
    return () => document.removeEventListener('keydown', enter)
  }, [table])
  return (e: KeyboardEvent) => {
    const by = step(e.key)
    if (!by || e.metaKey || e.ctrlKey || e.altKey || (e.target as HTMLElement).closest('input, textarea, [role=menu]')) return
    const rows = [...(table.current?.querySelectorAll('[data-row]') ?? [])]
    const at = rows.findIndex((row) => row.contains(document.activeElement))
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))]
    if (!target(next)) return
    e.preventDefault()
    target(next)?.focus({ preventScroll: true })
    next?.scrollIntoView({ block: 'nearest' })
  }
}

export function DataTable<T>({ label, rows, columns, rowKey, current, below, pairs }: Props<T>) {
  const box = useRef<HTMLTableElement>(null)
  const onKeyDown = useRowKeys(box)
  return (
    <div className={s.wrap}>
      {/* the roles are written out: the cards of narrow screens are no table boxes, and some browsers then drop them */}
      <table
        ref={box}
        className={s.table}
        role="table"
        aria-label={label}
        data-pairs={pairs || undefined}
        data-rows
        onKeyDown={onKeyDown}
      >
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((c) => (
              <th key={c.title} role="columnheader" scope="col">
                {c.silent ? <span className={ui.sr}>{c.title}</span> : c.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row, index) => {
            const more = below?.(row)
            return (
              <Fragment key={rowKey(row, index)}>
                <tr role="row" data-row aria-current={current?.(row) || undefined}>
                  {columns.map((c) => {
                    const Cell = c.head ? 'th' : 'td'
                    return (
                      <Cell
                        key={c.title}
                        role={c.head ? 'rowheader' : 'cell'}
                        scope={c.head ? 'row' : undefined}
                        data-label={c.head || c.silent ? undefined : c.title}
                        data-silent={c.silent || undefined}
                        className={c.className}
                      >
                        <div className={s.value}>{c.cell(row)}</div>
                      </Cell>
                    )
                  })}
                </tr>
                {more && (
                  <tr role="row">
                    <td role="cell" colSpan={columns.length} className={s.below}>
                      {more}
                    </td>
                  </tr>
                )}
              </Fragment>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
