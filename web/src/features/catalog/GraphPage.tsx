/** The relations of one entity on a page of their own. The URL holds everything: whose, how far, which way, what is hidden or open. */
import { SegmentedControl } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Waypoints } from 'lucide-react'
import { useMemo } from 'react'
import { graphQuery } from '~/api/queries'
import { shortRef, splitRef } from '~/api/refs'
import type { Graph } from '~/api/types'
import { EntityGraph } from '~/components/EntityGraph'
import { EntityLink } from '~/components/EntityLink'
import { without, withoutDetours } from '~/components/graph-layout'
import { collapseSiblings, oneSide, type Sides } from '~/components/graph-siblings'
import { Legend, Missing, Opened, RelationList } from './RelationParts'
import { Await } from '~/components/RouteStates'
import { GRAPH_DEPTH, type GraphSearch } from '~/route-search'
import { EmptyState, Page, PageHeader, Panel } from '~/ui/parts'
import s from './entity.module.css'
import { EntityPicker } from './EntityPicker'

const route = getRouteApi('/app/catalog/graph')
const DEPTHS = ['1', '2', '3', '4', '5'].map((value) => ({ value, label: value === '1' ? 'Direct' : `${value} hops` }))
const SIDES = [
  { value: 'all', label: 'Both ways' },
  { value: 'out', label: 'What it needs' },
  { value: 'in', label: 'What needs it' },
]
const VIEWS = [
  { value: 'graph', label: 'Graph' },
  { value: 'list', label: 'List' },
]
const ROW = 37
const AROUND = 330

export function GraphPage() {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const set = (p: Partial<GraphSearch>) => void nav({ search: (o) => ({ ...o, ...p }), replace: true })
  const pick = (entity: string) => void nav({ search: { entity, depth: search.depth } })
  if (!search.entity)
    return (
      <Page>
        <PageHeader title="Relations" sub="What an entity needs, what needs it, and what it belongs to." right={<EntityPicker onPick={pick} />} />
        <EmptyState icon={Waypoints} title="Choose an entity">Its relations are drawn here, up to five hops away.</EmptyState>
      </Page>
    ) // prettier-ignore
  return (
    <Page wide>
      <PageHeader
        title={`Relations of ${shortRef(search.entity)}`}
        sub={<EntityLink entity={search.entity} title={search.entity} size={16} />}
        right={<EntityPicker onPick={pick} />}
      />
      <Around key={search.entity} entity={search.entity} search={search} set={set} />
    </Page>
  )
}

type AroundProps = { entity: string; search: GraphSearch; set: (p: Partial<GraphSearch>) => void }
function Around({ entity, search, set }: AroundProps) {
  const depth = search.depth ?? GRAPH_DEPTH
  const narrow = useMediaQuery('(max-width: 760px)')
  const query = useQuery(graphQuery(splitRef(entity), depth))
  const hidden = useMemo(() => new Set(search.hide), [search.hide])
  const open = useMemo(() => new Set(search.open), [search.open])
  const all = useMemo(() => query.data && oneSide(withoutDetours(query.data, entity), entity, search.side), [query.data, entity, search.side]) // prettier-ignore
  const shown = useMemo(() => all && without(all, entity, hidden), [all, entity, hidden])
  const drawn = useMemo(() => shown && collapseSiblings(shown, entity, open), [shown, entity, open])
  const view = search.view ?? (narrow ? 'list' : 'graph')
  const flip = (of: ReadonlySet<string>, one: string) => {
    const next = new Set(of)
    if (!next.delete(one)) next.add(one)
    return next.size ? [...next] : undefined
  }
  const expand = (id: string) => set({ open: flip(open, id) })
  const controls = (
    <div className={s.bar}>
      <SegmentedControl value={String(depth)} onChange={(v) => set({ depth: Number(v) })} aria-label="How far" data={DEPTHS} />
      <SegmentedControl value={search.side ?? 'all'} onChange={(v) => set({ side: v === 'all' ? undefined : (v as Sides) })} aria-label="Which way" data={SIDES} />
      <SegmentedControl value={view} onChange={(v) => set({ view: v as 'graph' | 'list' })} aria-label="How to show relations" data={VIEWS} />
    </div>
  ) // prettier-ignore
  return (
    <Panel right={controls} title={drawn ? <Count graph={view === 'graph' ? drawn.graph : undefined} all={all} /> : 'Relations'}>
      <Await query={query} rows={10}>
        {(answer) =>
          !all || !shown || !drawn || all.nodes.length < 2 ? (
            <EmptyState icon={Waypoints} title="No relations" compact>
              {search.side ? 'There are none this way.' : 'What it depends on, provides and belongs to is declared in its catalog-info.yaml.'}
            </EmptyState>
          ) : (
            <>
              {answer.truncated && <p className={s.note}>Only the nearest 500 entities are shown: there are more.</p>}
              <Missing graph={shown} />
              {view === 'list' ? (
                <RelationList graph={shown} focus={entity} />
              ) : (
                <EntityGraph
                  key={`${drawn.graph.nodes.length} ${drawn.graph.edges.length}`}
                  graph={drawn.graph}
                  focus={entity}
                  height={Math.max(420, window.innerHeight - AROUND + 60)}
                  rows={Math.floor((window.innerHeight - AROUND - ROW) / ROW)}
                  crowds={{ list: drawn.crowds, onExpand: expand }}
                />
              )}
              {view === 'graph' && <Opened crowds={drawn.crowds.filter((c) => open.has(c.id))} onClose={expand} />}
              <Legend graph={all} hidden={hidden} onToggle={(type) => set({ hide: flip(hidden, type) })} />
            </>
          )
        }
      </Await>
    </Panel>
  ) // prettier-ignore
}

const Count = ({ graph, all }: { graph?: Graph; all?: Graph }) => (
  <span role="status" className="num">
    {all?.nodes.length ?? 0} entities{graph && `, ${graph.nodes.length} drawn`}
  </span>
)
