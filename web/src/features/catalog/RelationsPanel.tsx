import { ActionIcon, Modal, SegmentedControl, Tooltip } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Maximize2, Waypoints } from 'lucide-react'
import { lazy, Suspense, useMemo, useState } from 'react'
import { graphQuery } from '~/api/queries'
import { shortRef, splitRef } from '~/api/refs'
import type { Graph } from '~/api/types'
import { EntityLink } from '~/components/EntityLink'
import { mergeEdges, relationOf, without, withoutDetours } from '~/components/graph-layout'
import { Await, Skeletons } from '~/components/RouteStates'
import { EmptyState, Panel } from '~/ui/parts'
import s from './entity.module.css'

const EntityGraph = lazy(() => import('~/components/EntityGraph').then((m) => ({ default: m.EntityGraph })))
const DEPTHS = [['1', 'Direct'], ['2', 'Two hops'], ['3', 'Three']].map(([value, label]) => ({ value: value ?? '', label })) // prettier-ignore
const VIEWS = [
  { value: 'graph', label: 'Graph' },
  { value: 'list', label: 'List' },
]
/** More than these are easier to read as a list on a narrow screen. */
const MANY = 12

/** What it needs and what needs it: as a graph with relations that can be hidden, or as a list in words. */
export function RelationsPanel({ entityRef }: { entityRef: string }) {
  const [depth, setDepth] = useState('1')
  const [chosen, setView] = useState<string>()
  const [large, setLarge] = useState(false)
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const narrow = useMediaQuery('(max-width: 760px)')
  const query = useQuery(graphQuery(splitRef(entityRef), Number(depth)))
  const all = useMemo(() => query.data && withoutDetours(query.data, entityRef), [query.data, entityRef])
  const shown = useMemo(() => all && without(all, entityRef, hidden), [all, entityRef, hidden])
  const view = chosen ?? (narrow && (all?.nodes.length ?? 0) > MANY ? 'list' : 'graph')
  const toggle = (type: string) => {
    const next = new Set(hidden)
    if (!next.delete(type)) next.add(type)
    setHidden(next)
  }
  const legend = all && <Legend graph={all} hidden={hidden} onToggle={toggle} />
  const controls = (
    <>
      <SegmentedControl value={depth} onChange={setDepth} aria-label="How far" data={DEPTHS} />
      <SegmentedControl value={view} onChange={setView} aria-label="How to show relations" data={VIEWS} />
      {view === 'graph' && (
        <Tooltip label="Show large">
          <ActionIcon aria-label="Show the graph large" onClick={() => setLarge(true)}>
            <Maximize2 size={15} />
          </ActionIcon>
        </Tooltip>
      )}
    </>
  )
  return (
    <Panel title="Relations" icon={Waypoints} right={controls}>
      <Await query={query} rows={6}>
        {(answer) =>
          !all || !shown || all.nodes.length < 2 ? (
            <EmptyState icon={Waypoints} title="No relations" compact>
              What it depends on, provides and belongs to is declared in its catalog-info.yaml.
            </EmptyState>
          ) : (
            <>
              {answer.truncated && <p className={s.note}>Only the nearest entities are shown: there are more.</p>}
              {view === 'graph' ? (
                <Suspense
                  fallback={
                    <div style={{ padding: 14 }}>
                      <Skeletons />
                    </div>
                  }
                >
                  <EntityGraph key={keyOf(shown)} graph={shown} focus={entityRef} />
                </Suspense>
              ) : (
                <RelationList graph={shown} focus={entityRef} />
              )}
              {legend}
              <Modal opened={large} onClose={() => setLarge(false)} size="96vw" title={`Relations of ${shortRef(entityRef)}`}>
                <Suspense fallback={<Skeletons />}>
                  <EntityGraph key={keyOf(shown)} graph={shown} focus={entityRef} height="calc(100dvh - 210px)" />
                </Suspense>
                {legend}
              </Modal>
            </>
          )
        }
      </Await>
    </Panel>
  )
}

const keyOf = (g: Graph) => `${g.nodes.length} ${g.edges.length}`

function Legend({ graph, hidden, onToggle }: { graph: Graph; hidden: ReadonlySet<string>; onToggle: (t: string) => void }) {
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

function RelationList({ graph, focus }: { graph: Graph; focus: string }) {
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
