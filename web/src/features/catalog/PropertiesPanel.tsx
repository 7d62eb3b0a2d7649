import { useQuery } from '@tanstack/react-query'
import { ChevronRight, TriangleAlert } from 'lucide-react'
import { propertiesQuery } from '~/api/queries'
import { splitRef } from '~/api/refs'
import type { ComputedProperty } from '~/api/types'
import { EntityLink } from '~/components/EntityLink'
import { ErrorState } from '~/components/RouteStates'
import { Ago, Panel } from '~/ui/parts'
import s from './entity.module.css'

/** What the kind computes of this entity; each row opens to its rule and what it was computed from. */
export function PropertiesPanel({ entityRef }: { entityRef: string }) {
  const { data, error, refetch } = useQuery({ ...propertiesQuery(splitRef(entityRef)), retry: false })
  if (error && !data)
    return (
      <Panel title="Computed">
        <ErrorState error={error} retry={() => void refetch()} compact />
      </Panel>
    )
  if (!data?.items.length) return null
  return (
    <Panel title="Computed">
      {data.items.map((p) => (
        <Property key={p.name} property={p} />
      ))}
    </Panel>
  )
}

const shown = (p: ComputedProperty) =>
  p.value === null || p.value === undefined
    ? p.pending
      ? 'being computed'
      : 'no value'
    : [p.value].flat().map(String).join(', ')

function Property({ property: p }: { property: ComputedProperty }) {
  return (
    <details className={s.property}>
      <summary>
        <ChevronRight size={14} aria-hidden />
        <span className="t2" style={{ flex: 1, minWidth: 0 }}>
          {p.title}
        </span>
        {p.error && (
          <TriangleAlert size={13} style={{ color: 'var(--c-warn-dot)' }} role="img" aria-label="could not be computed" />
        )}
        <span className="trunc">{shown(p)}</span>
      </summary>
      <div className={s.how}>
        <div className="mono t2" style={{ overflowWrap: 'anywhere' }}>
          {p.rule}
        </div>
        {p.error && <div style={{ color: 'var(--c-bad)' }}>{p.error}</div>}
        {p.inputs.map((i, n) => (
          <div key={n} className="t2">
            {i.ref.includes(':') ? <EntityLink entity={i.ref} size={14} /> : i.ref} <span className="mono">{i.field}</span>
            {i.value !== null && i.value !== undefined && <> = {String(i.value as string | number | boolean)}</>}
          </div>
        ))}
        {p.computed_at && <Ago at={p.computed_at} className="t3" />}
      </div>
    </details>
  )
}
