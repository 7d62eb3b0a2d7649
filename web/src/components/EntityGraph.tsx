import {
  Background,
  BackgroundVariant,
  Controls,
  type Edge,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Panel,
  Position,
  ReactFlow,
} from '@xyflow/react'
import '@xyflow/react/dist/style.css'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { shortRef, splitRef } from '~/api/refs'
import type { Graph, GraphNode } from '~/api/types'
import { KindIcon } from '~/ui/KindIcon'
import s from './graph.module.css'
import { layoutGraph, mergeEdges, relationOf } from './graph-layout'

type Data = GraphNode & { focus: boolean }

function EntityNode({ data: d }: NodeProps<Node<Data>>) {
  return (
    <div className={s.node} data-focus={d.focus || undefined}>
      <Handle type="target" position={Position.Left} className={s.handle} />
      <KindIcon kind={d.kind} size={26} />
      <div style={{ minWidth: 0, flex: 1 }}>
        <div className={s.title}>{d.title ?? shortRef(d.ref)}</div>
        <div className={s.meta}>{[d.kind.toLowerCase(), d.type].filter(Boolean).join(' · ')}</div>
      </div>
      <Handle type="source" position={Position.Right} className={s.handle} />
    </div>
  )
}
const nodeTypes = { entity: EntityNode }

function toFlow(graph: Graph, focus: string, at: Record<string, { x: number; y: number }>) {
  const nodes = graph.nodes.map((n): Node<Data> => ({
    id: n.ref,
    type: 'entity',
    position: at[n.ref] ?? { x: 0, y: 0 },
    data: { ...n, focus: n.ref === focus },
    ariaLabel: `${n.kind} ${n.title ?? shortRef(n.ref)}`,
  }))
  const edges = mergeEdges(graph).map((e, i): Edge => {
    const { color } = relationOf(e.type)
    const hot = e.source === focus || e.target === focus
    return {
      id: String(i),
      source: e.source,
      target: e.target,
      type: 'smoothstep',
      ariaLabel: `${shortRef(e.source)} ${relationOf(e.type).label} ${shortRef(e.target)}`,
      markerEnd: { type: MarkerType.ArrowClosed, color, width: 13, height: 13 },
      style: { stroke: color, strokeWidth: 1.5, opacity: hot ? 1 : 0.65 },
    }
  })
  return { nodes, edges }
}

/** Relations are told by colour with a legend; labels on every edge overlap as soon as a node has four. */
export function EntityGraph({ graph, focus, height = 380 }: { graph: Graph; focus: string; height?: number }) {
  const [laid, setLaid] = useState<ReturnType<typeof toFlow>>()
  const nav = useNavigate()
  useEffect(() => {
    let on = true
    void layoutGraph(graph, 182, 48).then((at) => on && setLaid(toFlow(graph, focus, at)))
    return () => {
      on = false
    }
  }, [graph, focus])
  const legend = [...new Map(mergeEdges(graph).map((e) => [relationOf(e.type).label, relationOf(e.type).color]))]
  return (
    <div style={{ height }} className={s.wrap}>
      {laid && (
        <ReactFlow
          nodes={laid.nodes}
          edges={laid.edges}
          nodeTypes={nodeTypes}
          fitView
          fitViewOptions={{ padding: { top: 0.07, left: 0.035, right: 0.035, bottom: 0.13 }, maxZoom: 1.15 }}
          minZoom={0.2}
          proOptions={{ hideAttribution: true }}
          nodesConnectable={false}
          edgesFocusable={false}
          onNodeClick={(_, n) => void nav({ to: '/catalog/$kind/$namespace/$name', params: splitRef(n.id) })}
          preventScrolling={false}
          zoomOnScroll={false}
        >
          <Background variant={BackgroundVariant.Dots} gap={18} size={1} color="var(--c-border)" />
          <Controls showInteractive={false} position="bottom-right" orientation="horizontal" />
          <Panel position="bottom-left" className={s.legend}>
            {legend.map(([label, color]) => (
              <span key={label}>
                <i style={{ background: color }} />
                {label}
              </span>
            ))}
          </Panel>
        </ReactFlow>
      )}
    </div>
  )
}
