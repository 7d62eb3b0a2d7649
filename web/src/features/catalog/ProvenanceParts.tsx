/** Where values come from: one in a line, all in a table, and the sources that say something. */
import type { FieldProvenance, Provenance, ProvenanceSource } from '~/api/types'
import { DataTable } from '~/ui/DataTable'
import { Ago, EmptyState } from '~/ui/parts'
import { StatusBadge } from '~/ui/Status'
import { FileQuestion } from 'lucide-react'
import s from './provenance.module.css'

/** A path for people: keys may hold dots and slashes themselves. */
export const pathOf = (pointer: string) =>
  pointer.split('/').slice(1).map((p) => p.replaceAll('~1', '/').replaceAll('~0', '~')).join('.') // prettier-ignore
const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
const sourceOf = (of: Provenance, id: string | null) => of.sources.find((x) => x.id === id)

/** The end of a path, which tells files apart; the whole is told beside it. */
const shortOf = (location: string) => location.replace(/^.*(?=(\/[^/]+){2}$)/, '…')

/** Source, file and line of a value. */
const From = ({ field: f, of }: { field: FieldProvenance; of: Provenance }) => {
  const x = sourceOf(of, f.source_id)
  if (!x) return <span className="t2">{f.rule ? <>computed: <code className="mono">{f.rule}</code></> : 'the catalog'}</span> // prettier-ignore
  const place = x.location && `${x.location}${f.line === null ? '' : `:${f.line}`}`
  return (
    <>
      {x.role === 'overlay' && <span className={s.mark}>{x.name}</span>}{' '}
      {place ? <span className="mono t2" title={place}>{shortOf(place)}</span> : x.role === 'owner' && x.name}
    </>
  ) // prettier-ignore
}

const Since = ({ field: f }: { field: FieldProvenance }) => (
  <>
    {f.at_least && 'before '}
    <Ago at={f.since_at} />
  </>
)

const Over = ({ field: f, of }: { field: FieldProvenance; of: Provenance }) =>
  f.over.length ? (
    <ul className={s.over}>
      {f.over.map((o) => (
        <li key={o.source_id}>
          <s>{textOf(o.value)}</s> <span className="t2">{shortOf(sourceOf(of, o.source_id)?.name ?? '')}</span>
        </li>
      ))}
    </ul>
  ) : null

/** One value, for the line that the pointer or the keys are on. */
export function Told({ field: f, pointer, of }: { field: FieldProvenance | undefined; pointer: string; of: Provenance }) {
  const path = <span className="mono">{pathOf(pointer)}</span>
  if (!f)
    return /^\/(relations|status)(\/|$)/.test(pointer) ? (
      <>{path} follows from this and other entities.</>
    ) : (
      <>{path}: its values are told in the lines below it.</>
    )
  return (
    <>
      {path} <span className="t2">is from</span> <From field={f} of={of} />{' '}
      {f.since_at !== null && <span className="t2">since <Since field={f} /></span>}
      {f.over.length > 0 && <> <span className="t2">over</span> <Over field={f} of={of} /></>}
    </>
  ) // prettier-ignore
}

export function FieldsTable({ of }: { of: Provenance }) {
  if (!of.fields.length) return <EmptyState icon={FileQuestion} title="No values" compact>Nothing is known of where it comes from.</EmptyState> // prettier-ignore
  return (
    <>
      <DataTable
        label="Where each value comes from"
        rows={of.fields}
        rowKey={(f) => f.pointer}
        columns={[
          { title: 'Field', head: true, className: 'mono', cell: (f) => pathOf(f.pointer) },
          { title: 'Value', cell: (f) => <span className={s.value}>{textOf(f.value)}</span> },
          { title: 'From', cell: (f) => <From field={f} of={of} /> },
          { title: 'Since', cell: (f) => f.since_at !== null && <Since field={f} /> },
          { title: 'Over', cell: (f) => <Over field={f} of={of} /> },
        ]}
      />
      {of.truncated && <p className={s.note}>There are more values than are shown.</p>}
    </>
  )
}

const role = (x: ProvenanceSource) => (x.role === 'owner' ? 'owns it' : `overlay, precedence ${x.precedence}`)

/** The one that wins first. */
export function SourceList({ of }: { of: Provenance }) {
  return (
    <ol className={s.sources}>
      {of.sources.map((x) => (
        <li key={x.id}>
          <div className={s.source}>
            {x.role === 'overlay' ? <span className={s.mark}>{x.name}</span> : <strong>{x.name}</strong>}
            <span className="t2">{role(x)}</span>
            {x.state === 'refused' && <StatusBadge tone="warn">left out</StatusBadge>}
          </div>
          {x.location && <div className="mono t2">{x.location}{x.line !== null && `:${x.line}`}</div>}
          {x.detail && <div style={{ color: 'var(--c-bad)' }}>{x.detail}</div>}
          {x.lines === 'unknown' && <div className="t2">Its lines are not known: {x.lines_detail}</div>}
        </li>
      ))}
    </ol>
  ) // prettier-ignore
}
