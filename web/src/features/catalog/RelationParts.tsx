/** What stands around a graph of relations: the legend that hides relations, and the same relations in words. */
import { Button } from '@mantine/core'
import { X } from 'lucide-react'
import { shortRef } from '~/api/refs'
import type { Graph } from '~/api/types'
import s from './entity.module.css'
import { EntityLink } from '~/components/EntityLink'
import { mergeEdges, relationOf } from '~/components/graph-layout'
import { crowdTitle, crowdWords, type Siblings } from '~/components/graph-siblings'

type LegendProps = { graph: Graph; hidden: ReadonlySet<string>; onToggle: (type: string) => void }
export function Legend({ graph, hidden, onToggle }: LegendProps) {
  const counts = new Map<string, number>()
  for (const e of mergeEdges(graph)) counts.set(e.type, (counts.get(e.type) ?? 0) + 1)
  return (
    <div className={s.legend} role="group" aria-label="Relations to show">
      {[...counts].map(([type, n]) => (
        <button key={type} type="button" aria-pressed={!hidden.has(type)} onClick={() => onToggle(type)}>
          <i style={{ background: relationOf(type).color }} aria-hidden />
          {relationOf(type).label} <span className="t3 num">{n}</span>
        </button>
      ))}
    </div>
  )
}

const NAMED = 5
/** What relations name and the catalog does not have: a name that is misspelt, or an entity that nobody registered. */
export function Missing({ graph }: { graph: Graph }) {
  const refs = graph.nodes.filter((n) => !n.exists).map((n) => n.ref)
  if (!refs.length) return null
  return (
    <p className={s.note} role="note">
      Not in the catalog: <span className="mono">{refs.slice(0, NAMED).join(', ')}</span>
      {refs.length > NAMED && ` and ${refs.length - NAMED} more`}. Correct the name, or register what it means.
    </p>
  )
}

export function RelationList({ graph, focus }: { graph: Graph; focus: string }) {
  const groups = new Map<string, string[]>()
  const further = []
  for (const e of mergeEdges(graph)) {
    const { label, inverse } = relationOf(e.type)
    const [words, other] = e.source === focus ? [label, e.target] : e.target === focus ? [inverse, e.source] : []
    if (words && other) groups.set(words, [...(groups.get(words) ?? []), other])
    else further.push(e)
  }
  return (
    <div className={s.relations}>
      {[...groups].map(([words, refs]) => (
        <section key={words}>
          <h3>
            {words} <span className="t3 num">{refs.length}</span>
          </h3>
          <ul>
            {refs.sort().map((r) => (
              <li key={r}>
                <EntityLink entity={r} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {further.length > 0 && (
        <section>
          <h3>
            further away <span className="t3 num">{further.length}</span>
          </h3>
          <ul>
            {further.map((e, i) => (
              <li key={i}>
                <EntityLink entity={e.source} icon={false} /> <span className="t2">{relationOf(e.type).label}</span>{' '}
                <EntityLink entity={e.target} icon={false} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}

/** Crowds that were opened, to close them again. */
export function Opened({ crowds, onClose }: { crowds: Siblings[]; onClose: (id: string) => void }) {
  if (!crowds.length) return null
  return (
    <div className={s.legend} role="group" aria-label="Shown one by one">
      {crowds.map((c) => (
        <Button key={c.id} size="xs" variant="default" rightSection={<X size={13} />} onClick={() => onClose(c.id)}>
          Fold {crowdTitle(c)}, each {crowdWords(c)} {shortRef(c.parent)}
        </Button>
      ))}
    </div>
  )
}
