import type { Graph } from '~/api/types'

type Position = Record<string, { x: number; y: number }>

/** Left-to-right layers. The engine is loaded when a graph is shown. */
export async function layoutGraph(g: Graph, w: number, h: number): Promise<Position> {
  const { Graph: Dagre, layout } = await import('@dagrejs/dagre')
  const d = new Dagre()
    .setGraph({ rankdir: 'LR', nodesep: 20, ranksep: 46, ranker: 'network-simplex' })
    .setDefaultEdgeLabel(() => ({}))
  for (const n of g.nodes) d.setNode(n.ref, { width: w, height: h })
  for (const e of mergeEdges(g)) d.setEdge(e.source, e.target)
  layout(d)
  return Object.fromEntries(
    g.nodes.map((n) => {
      const p = d.node(n.ref) as { x: number; y: number }
      return [n.ref, { x: p.x - w / 2, y: p.y - h / 2 }]
    }),
  )
}

/** Every relation is stored from both ends; the graph draws the forward one. */
const BACKWARD: Record<string, string> = {
  ownerOf: 'ownedBy',
  dependencyOf: 'dependsOn',
  apiProvidedBy: 'providesApi',
  apiConsumedBy: 'consumesApi',
  hasPart: 'partOf',
  parentOf: 'childOf',
  hasMember: 'memberOf',
}
const LABELS: Record<string, { label: string; color: string }> = {
  dependsOn: { label: 'depends on', color: 'var(--ch-1)' },
  consumesApi: { label: 'consumes API', color: 'var(--ch-2)' },
  providesApi: { label: 'provides API', color: 'var(--ch-5)' },
  ownedBy: { label: 'owned by', color: 'var(--ch-6)' },
  partOf: { label: 'part of', color: 'var(--ch-4)' },
  childOf: { label: 'child of', color: 'var(--ch-3)' },
  memberOf: { label: 'member of', color: 'var(--ch-3)' },
}
export const relationOf = (type: string): { label: string; color: string } =>
  LABELS[type] ?? { label: type.replace(/([A-Z])/g, ' $1').toLowerCase(), color: 'var(--c-text-3)' }

export function mergeEdges(g: Graph): Graph['edges'] {
  const known = new Set(g.nodes.map((n) => n.ref))
  const out = new Map<string, Graph['edges'][number]>()
  for (const e of g.edges) {
    if (!known.has(e.source) || !known.has(e.target)) continue
    const forward = BACKWARD[e.type]
    const edge = forward ? { source: e.target, target: e.source, type: forward } : e
    out.set(`${edge.source}|${edge.type}|${edge.target}`, edge)
  }
  return [...out.values()]
}

const people = (ref: string) => ref.startsWith('group:') || ref.startsWith('user:')
/** What hangs together through teams and people is not shown: an owner of fifty services would bring all of them along. */
export function withoutDetours(graph: Graph, focus: string): Graph {
  const kept = new Set([focus])
  for (const ref of kept) {
    if (ref !== focus && people(ref)) continue
    for (const e of graph.edges) if (e.source === ref) kept.add(e.target)
    for (const e of graph.edges) if (e.target === ref) kept.add(e.source)
  }
  return {
    ...graph,
    nodes: graph.nodes.filter((n) => kept.has(n.ref)),
    edges: graph.edges.filter((e) => kept.has(e.source) && kept.has(e.target)),
  }
}
