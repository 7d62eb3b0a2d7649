import { ActionIcon, SegmentedControl, Tooltip } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Maximize2, Waypoints } from 'lucide-react'
import { useMemo, useState } from 'react'
import { graphQuery } from '~/api/queries'
import { splitRef } from '~/api/refs'
import type { Graph } from '~/api/types'
import { without, withoutDetours } from '~/components/graph-layout'
import { collapseSiblings } from '~/components/graph-siblings'
import { Legend, Missing, Opened, RelationList } from './RelationParts'
import { Await, Skeletons } from '~/components/RouteStates'
import { useArrived } from '~/components/useArrived'
import { EmptyState, Panel } from '~/ui/parts'
import s from './entity.module.css'

/** On its way while the relations are asked for. */
const coming = import('~/components/EntityGraph')
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
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const graphs = useArrived(coming)
  const narrow = useMediaQuery('(max-width: 760px)')
  const query = useQuery(graphQuery(splitRef(entityRef), Number(depth)))
  const all = useMemo(() => query.data && withoutDetours(query.data, entityRef), [query.data, entityRef])
  const shown = useMemo(() => all && without(all, entityRef, hidden), [all, entityRef, hidden])
  const drawn = useMemo(() => shown && collapseSiblings(shown, entityRef, open), [shown, entityRef, open])
  const view = chosen ?? (narrow && (all?.nodes.length ?? 0) > MANY ? 'list' : 'graph')
  const expand = (id: string) => setOpen((old) => flipped(old, id))
  const controls = (
    <>
      <SegmentedControl value={depth} onChange={setDepth} aria-label="How far" data={DEPTHS} />
      <SegmentedControl value={view} onChange={setView} aria-label="How to show relations" data={VIEWS} />
      <Tooltip label="Show on a page of its own">
        <ActionIcon
          aria-label="Show relations on a page of their own"
          renderRoot={(props) => <Link {...props} to="/catalog/graph" search={{ entity: entityRef, depth: Number(depth) }} />}
        >
          <Maximize2 size={15} />
        </ActionIcon>
      </Tooltip>
    </>
  )
  return (
    <Panel title="Relations" icon={Waypoints} right={controls}>
      <Await query={query} rows={6}>
        {(answer) =>
          !all || !shown || !drawn || all.nodes.length < 2 ? (
            <EmptyState icon={Waypoints} title="No relations" compact>
              What it depends on, provides and belongs to is declared in its catalog-info.yaml.
            </EmptyState>
          ) : (
            <>
              {answer.truncated && <p className={s.note}>Only the nearest entities are shown: there are more.</p>}
              <Missing graph={shown} />
              {view === 'graph' ? (
                graphs ? (
                  <graphs.EntityGraph
                    key={keyOf(drawn.graph)}
                    graph={drawn.graph}
                    focus={entityRef}
                    crowds={{ list: drawn.crowds, onExpand: expand }}
                  />
                ) : (
                  <div style={{ padding: 14 }}>
                    <Skeletons />
                  </div>
                )
              ) : (
                <RelationList graph={shown} focus={entityRef} />
              )}
              {view === 'graph' && <Opened crowds={drawn.crowds.filter((c) => open.has(c.id))} onClose={expand} />}
              <Legend graph={all} hidden={hidden} onToggle={(type) => setHidden((old) => flipped(old, type))} />
            </>
          )
        }
      </Await>
    </Panel>
  )
}

const flipped = (of: ReadonlySet<string>, one: string): ReadonlySet<string> => {
  const next = new Set(of)
  if (!next.delete(one)) next.add(one)
  return next
}
const keyOf = (g: Graph) => `${g.nodes.length} ${g.edges.length}`
