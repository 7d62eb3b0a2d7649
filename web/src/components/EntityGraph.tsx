import { Background, BackgroundVariant, Controls, type Edge, Handle, MarkerType, MiniMap, type Node, type NodeProps, Position, ReactFlow, type ReactFlowInstance } from '@xyflow/react' // prettier-ignore
import '@xyflow/react/dist/style.css'
import { Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { type FocusEvent, type KeyboardEvent, useMemo, useRef, useState } from 'react'
import { shortRef, splitRef } from '~/api/refs'
import type { Graph, GraphNode } from '~/api/types'
import { KindIcon } from '~/ui/KindIcon'
import s from './graph.module.css'
import { crowdWords, type Siblings } from './graph-siblings'
import { type Layout, layoutGraph, mergeEdges, neighbour, relationOf } from './graph-layout'

type Data = GraphNode & { focus: boolean; small: boolean; faded: boolean; crowd?: Siblings; onExpand?: (id: string) => void }
type Line = Edge & { pathOptions?: { stepPosition: number } }
type Flow = ReactFlowInstance<Node<Data>, Line>

function EntityNode({ data: d }: NodeProps<Node<Data>>) {
  const title = d.title ?? shortRef(d.ref)
  const what = [d.kind.toLowerCase(), d.exists ? d.type : 'not in the catalog'].filter(Boolean).join(' · ')
  return (
    <Link
      to="/catalog/$kind/$namespace/$name"
      params={splitRef(d.ref)}
      className={s.node}
      draggable={false}
      data-ref={d.ref}
      data-small={d.small || undefined}
      data-focus={d.focus || undefined}
      data-faded={d.faded || undefined}
      data-missing={!d.exists || undefined}
      aria-label={`${title}, ${what}`}
      aria-current={d.focus ? 'page' : undefined}
      title={d.small || !d.exists ? `${title}, ${what}` : undefined}
    >
      <Handle type="target" position={Position.Left} className={s.handle} />
      <KindIcon kind={d.kind} size={d.small ? 20 : 26} />
      <span style={{ minWidth: 0, flex: 1 }}>
        <span className={s.title}>{title}</span>
        {!d.small && <span className={s.meta}>{what}</span>}
      </span>
      <Handle type="source" position={Position.Right} className={s.handle} />
    </Link>
  )
}
/** Many alike: their number, and a click that shows them. */
function CrowdNode({ data: d }: NodeProps<Node<Data>>) {
  const words = d.crowd ? crowdWords(d.crowd) : ''
  return (
    <button
      type="button"
      className={s.node}
      data-ref={d.ref}
      data-crowd
      data-small={d.small || undefined}
      data-faded={d.faded || undefined}
      aria-label={`${d.title}, ${words} ${shortRef(d.crowd?.parent ?? '')}: show them`}
      title={`${d.title}: show them`}
      onClick={() => d.onExpand?.(d.ref)}
    >
      <Handle type="target" position={Position.Left} className={s.handle} />
      <KindIcon kind={d.kind} size={d.small ? 20 : 26} />
      <span style={{ minWidth: 0, flex: 1 }}>
        <span className={s.title}>{d.title}</span>
        {!d.small && <span className={s.meta}>show them</span>}
      </span>
      <Plus size={14} aria-hidden />
      <Handle type="source" position={Position.Right} className={s.handle} />
    </button>
  )
}
const nodeTypes = { entity: EntityNode, crowd: CrowdNode }
/** The smallest label is 12 px; below this it would be smaller than 11 on the screen. */
const LEAST_ZOOM = 0.92
const MOST_ZOOM = 1.1
/** A frame narrower than this would be half covered by the small map. */
const MAP_FROM = 640
/** Room for the buttons below. */
const MARGIN = { x: 22, top: 18, bottom: 48 }

/** All of it where it fits; else as small as it may be, with the focus in sight and no empty border. */
function firstView(layout: Layout, focus: string, frame: { width: number; height: number }) {
  const ys = Object.values(layout.at).map((p) => p.y)
  const top = Math.min(...ys)
  const room = { x: frame.width - 2 * MARGIN.x, y: frame.height - MARGIN.top - MARGIN.bottom }
  const zoom = Math.max(LEAST_ZOOM, Math.min(MOST_ZOOM, room.x / layout.width, room.y / layout.height))
  const place = (size: number, space: number, start: number, at: number, half: number) => {
    if (size * zoom <= space) return (space - size * zoom) / 2 - start * zoom
    const wanted = space / 2 - (at + half) * zoom
    return Math.min(-start * zoom, Math.max(space - (start + size) * zoom, wanted))
  }
  const here = layout.at[focus] ?? { x: 0, y: 0 }
  const whole = layout.width * zoom <= room.x && layout.height * zoom <= room.y
  return {
    x: MARGIN.x + place(layout.width, room.x, 0, here.x, layout.node.w / 2),
    y: MARGIN.top + place(layout.height, room.y, top, here.y, layout.node.h / 2),
    zoom,
    whole,
  }
}

/** Lines turn just before their target: what lies between is passed straight. */
function bend(layout: Layout, source: string, target: string) {
  const span = (layout.at[target]?.x ?? 0) - (layout.at[source]?.x ?? 0) - layout.node.w
  return span > 60 ? 1 - 28 / span : 0.5
}

type Crowds = { list: Siblings[]; onExpand: (id: string) => void }
function toFlow(graph: Graph, focus: string, layout: Layout, active: string | undefined, crowds?: Crowds) {
  const crowd = new Map(crowds?.list.map((c) => [c.id, c]))
  const merged = mergeEdges(graph)
  const near = new Set(active ? [active, ...merged.flatMap((e) => (e.source === active ? [e.target] : e.target === active ? [e.source] : []))] : []) // prettier-ignore
  const small = layout.node.h < 40
  const nodes = graph.nodes.map((n): Node<Data> => ({
    id: n.ref,
    type: crowd.has(n.ref) ? 'crowd' : 'entity',
    position: layout.at[n.ref] ?? { x: 0, y: 0 },
    width: layout.node.w,
    height: layout.node.h,
    data: {
      ...n,
      focus: n.ref === focus,
      small,
      faded: Boolean(active) && !near.has(n.ref),
      crowd: crowd.get(n.ref),
      onExpand: crowds?.onExpand,
    },
  }))
  const edges = merged.map((e, i): Line => {
    const { color } = relationOf(e.type)
    const hot = active ? e.source === active || e.target === active : e.source === focus || e.target === focus
    return {
      id: String(i),
      source: e.source,
      target: e.target,
      type: small ? 'default' : 'smoothstep',
      pathOptions: { stepPosition: bend(layout, e.source, e.target) },
      zIndex: active && hot ? 1 : 0,
      markerEnd: { type: MarkerType.ArrowClosed, color, width: 13, height: 13 },
      style: { stroke: color, strokeWidth: active && hot ? 2 : 1.5, opacity: active ? (hot ? 1 : 0.12) : small ? 0.35 : hot ? 1 : 0.65 },
    } // prettier-ignore
  })
  return { nodes, edges }
}

type Props = { graph: Graph; focus: string; height?: number; rows?: number; crowds?: Crowds }
/** Each node is a link in the tab order; arrow keys go to the nearest node; pointing at one shows only its relations. */
export function EntityGraph({ graph, focus, height, rows, crowds }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const flow = useRef<Flow>(null)
  const [active, setActive] = useState<string>()
  const layout = useMemo(() => layoutGraph(graph, focus, rows), [graph, focus, rows])
  const [mapped, setMapped] = useState(false)
  const { nodes, edges } = useMemo(() => toFlow(graph, focus, layout, active, crowds), [graph, focus, layout, active, crowds])
  const show = () => {
    if (!box.current) return
    const view = firstView(layout, focus, { width: box.current.clientWidth, height: box.current.clientHeight })
    void flow.current?.setViewport(view)
    setMapped(!view.whole && box.current.clientWidth >= MAP_FROM)
  }
  const onFocus = (e: FocusEvent) => {
    const ref = (e.target as HTMLElement).dataset.ref
    const at = ref ? layout.at[ref] : undefined
    if (!ref || !at || !(e.target as HTMLElement).matches(':focus-visible')) return
    setActive(ref)
    box.current?.querySelectorAll('.react-flow, .react-flow__viewport').forEach((x) => x.scrollTo(0, 0)) // the browser's own way to reveal it
    const shown = e.target.getBoundingClientRect()
    const frame = box.current?.getBoundingClientRect()
    const map = box.current?.querySelector('.react-flow__minimap')?.getBoundingClientRect()
    const covered = map && shown.left < map.right && shown.bottom > map.top
    if (
      frame &&
      (covered || shown.left < frame.left || shown.right > frame.right || shown.top < frame.top || shown.bottom > frame.bottom)
    )
      void flow.current?.setCenter(at.x + layout.node.w / 2, at.y + layout.node.h / 2, { zoom: flow.current.getZoom() })
  }
  const onKeyDown = (e: KeyboardEvent) => {
    const from = (e.target as HTMLElement).dataset.ref
    const to = from && neighbour(layout.at, from, e.key)
    if (!to) return
    e.preventDefault()
    e.stopPropagation()
    box.current?.querySelector<HTMLElement>(`[data-ref="${CSS.escape(to)}"]`)?.focus({ preventScroll: true })
  }
  return (
    <div
      ref={box}
      style={{ height: height ?? Math.max(300, Math.min(560, layout.height + 110)) }}
      className={s.wrap}
      role="group"
      aria-label="Graph of relations; arrow keys move between entities"
      onFocus={onFocus}
      onBlur={() => setActive(undefined)}
      onKeyDownCapture={onKeyDown}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        onInit={(f) => {
          flow.current = f
          show()
        }}
        minZoom={LEAST_ZOOM}
        proOptions={{ hideAttribution: true }}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        onNodeMouseEnter={(_, n) => setActive(n.id)}
        onNodeMouseLeave={() => setActive(undefined)}
        preventScrolling={false}
        zoomOnScroll={false}
      >
        <Background variant={BackgroundVariant.Dots} gap={18} size={1} color="var(--c-border)" />
        {mapped && (
          <MiniMap
            position="bottom-left"
            pannable
            ariaLabel="The whole graph in small"
            nodeColor="var(--c-border-strong)"
            maskColor="var(--c-hover)"
            bgColor="var(--c-inset)"
          />
        )}
        <Controls
          showInteractive={false}
          fitViewOptions={{ minZoom: LEAST_ZOOM, maxZoom: MOST_ZOOM }}
          position="bottom-right"
          orientation="horizontal"
        />
      </ReactFlow>
    </div>
  )
}
