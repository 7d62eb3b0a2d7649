/** What the page of a graph leaves out: one direction, or the many that have the same relation to the same entity. */
import type { Graph, GraphNode } from '~/api/types'
import { mergeEdges, relationOf } from './graph-layout'

/** Entities with the same relation to one entity; `id` is what the URL names it by. */
export type Siblings = { id: string; parent: string; type: string; outward: boolean; refs: string[] }
export type Sides = 'out' | 'in'
/** More than these stand as one node with their number. */
export const MOST_SIBLINGS = 20

const neighbours = (edges: Graph['edges']) => {
  const near = new Map<string, { other: string; type: string; outward: boolean }[]>()
  const add = (from: string, other: string, type: string, outward: boolean) => {
    const known = near.get(from)
    if (known) known.push({ other, type, outward })
    else near.set(from, [{ other, type, outward }])
  }
  for (const e of edges) {
    add(e.source, e.target, e.type, true)
    add(e.target, e.source, e.type, false)
  }
  return near
}

/** Only what the focus needs (`out`), or only what needs it (`in`), at any distance. */
export function oneSide(graph: Graph, focus: string, side: Sides | undefined): Graph {
  if (!side) return graph
  const edges = mergeEdges(graph)
  const near = neighbours(edges)
  const kept = new Set([focus])
  for (const ref of kept) for (const n of near.get(ref) ?? []) if (n.outward === (side === 'out')) kept.add(n.other)
  return {
    ...graph,
    nodes: graph.nodes.filter((n) => kept.has(n.ref)),
    edges: edges.filter((e) => kept.has(e.source) && kept.has(e.target)),
  }
}

/** The graph with crowds as one node each, unless they are in `open`; and every crowd that there is, open or not. */
export function collapseSiblings(graph: Graph, focus: string, open: ReadonlySet<string>) {
  const edges = mergeEdges(graph)
  const near = neighbours(edges)
  const shown = new Set([focus])
  const standsFor = new Map<string, string>()
  const crowds: Siblings[] = []
  for (const ref of shown) {
    const groups = new Map<string, Siblings>()
    for (const { other, type, outward } of near.get(ref) ?? []) {
      if (shown.has(other) || standsFor.has(other)) continue
      const id = `${ref}${outward ? '>' : '<'}${type}`
      const group = groups.get(id) ?? { id, parent: ref, type, outward, refs: [] }
      if (!group.refs.includes(other)) group.refs.push(other)
      groups.set(id, group)
    }
    for (const group of groups.values()) {
      const refs = group.refs.filter((r) => !shown.has(r) && !standsFor.has(r))
      const many = refs.length > MOST_SIBLINGS
      if (many) crowds.push({ ...group, refs })
      for (const r of refs) {
        if (many && !open.has(group.id)) standsFor.set(r, group.id)
        else shown.add(r)
      }
    }
  }
  const closed = crowds.filter((c) => !open.has(c.id))
  const stand = (ref: string) => standsFor.get(ref) ?? ref
  const known = new Map(graph.nodes.map((n) => [n.ref, n]))
  const nodes = [...graph.nodes.filter((n) => shown.has(n.ref)), ...closed.map((c) => crowdNode(c, known))]
  const visible = new Set(nodes.map((n) => n.ref))
  const drawn = new Map<string, Graph['edges'][number]>()
  for (const e of edges) {
    const edge = { source: stand(e.source), target: stand(e.target), type: e.type }
    if (edge.source === edge.target || !visible.has(edge.source) || !visible.has(edge.target)) continue
    drawn.set(`${edge.source}|${edge.type}|${edge.target}`, edge)
  }
  return { graph: { ...graph, nodes, edges: [...drawn.values()] }, crowds }
}

const PLURALS: Record<string, string> = { api: 'APIs', group: 'teams', user: 'people' }
/** `37 components`; of several kinds: `37 entities`. */
export function crowdTitle(crowd: Siblings): string {
  const kind = commonKind(crowd)
  return `${crowd.refs.length} ${kind ? (PLURALS[kind] ?? `${kind}s`) : 'entities'}`
}
export const crowdWords = (crowd: Siblings) => (crowd.outward ? relationOf(crowd.type).inverse : relationOf(crowd.type).label)

function commonKind(crowd: Siblings): string | undefined {
  const kinds = new Set(crowd.refs.map((r) => r.slice(0, r.indexOf(':'))))
  return kinds.size === 1 ? [...kinds][0] : undefined
}

function crowdNode(crowd: Siblings, known: ReadonlyMap<string, GraphNode>): GraphNode {
  const kind = commonKind(crowd) ?? known.get(crowd.refs[0] ?? '')?.kind ?? 'component'
  return { ref: crowd.id, kind, title: crowdTitle(crowd), type: null, lifecycle: null, exists: true }
}
