import type { Graph } from '~/api/types'

export type Place = { x: number; y: number }
export type Layout = { at: Record<string, Place>; width: number; height: number; node: { w: number; h: number } }

/** From here on nodes are drawn small, in one line. */
const DENSE = 14
const LARGE = { w: 182, h: 48, gapX: 46, gapY: 18, rows: 7 }
const SMALL = { w: 152, h: 32, gapX: 12, gapY: 8, rows: 16 }

/** What needs the focus stands on its left, what it needs on its right. A long column is folded into several. */
export function layoutGraph(graph: Graph, focus: string, rows?: number): Layout {
  const edges = mergeEdges(graph)
  const level = levels(graph, edges, focus)
  const dense = graph.nodes.length > DENSE
  const size = dense ? { ...SMALL, rows: Math.max(8, rows ?? SMALL.rows) } : LARGE
  const columns = [...new Set(level.values())].sort((a, b) => a - b)
  const at: Record<string, Place> = {}
  const row = new Map<string, number>()
  let x = 0
  for (const column of columns) {
    const refs = ordered(graph, edges, level, column, row)
    const tall = Math.ceil(refs.length / Math.ceil(refs.length / size.rows))
    refs.forEach((ref, i) => {
      const inColumn = Math.min(tall, refs.length - Math.floor(i / tall) * tall)
      // every other column is half a row lower, so that lines run between its nodes and not behind them
      const shift = Math.floor(i / tall) % 2 ? 0.5 : 0
      const y = ((i % tall) - (inColumn - 1) / 2 + (inColumn === tall ? shift : 0)) * (size.h + size.gapY)
      at[ref] = { x: x + Math.floor(i / tall) * (size.w + size.gapX), y }
      row.set(ref, y)
    })
    x += Math.ceil(refs.length / tall) * (size.w + size.gapX) - size.gapX + 58
  }
  const ys = Object.values(at).map((p) => p.y)
  return { at, width: x - 58, height: Math.max(...ys) - Math.min(...ys) + size.h, node: { w: size.w, h: size.h } }
}

/** Steps from the focus: against the direction of a relation counts down, along it counts up. */
function levels(graph: Graph, edges: Graph['edges'], focus: string): Map<string, number> {
  const level = new Map([[focus, 0]])
  for (const ref of level.keys()) {
    const here = level.get(ref) ?? 0
    for (const e of edges) {
      if (e.source === ref && !level.has(e.target)) level.set(e.target, here + 1)
      if (e.target === ref && !level.has(e.source)) level.set(e.source, here - 1)
    }
  }
  for (const n of graph.nodes) if (!level.has(n.ref)) level.set(n.ref, 1)
  return level
}

/** Nodes of one column: near what they are related to, and alike beside alike. */
function ordered(graph: Graph, edges: Graph['edges'], level: Map<string, number>, column: number, row: Map<string, number>) {
  const middle = (ref: string) => {
    const near = edges.flatMap((e) => (e.source === ref ? [e.target] : e.target === ref ? [e.source] : []))
    const known = near.map((r) => row.get(r)).filter((y) => y !== undefined)
    return known.length ? known.reduce((a, b) => a + b, 0) / known.length : 0
  }
  return graph.nodes
    .filter((n) => level.get(n.ref) === column)
    .map((n) => ({ ...n, middle: middle(n.ref) }))
    .sort((a, b) => a.middle - b.middle || a.kind.localeCompare(b.kind) || (a.title ?? '').localeCompare(b.title ?? ''))
    .map((n) => n.ref)
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
type Look = { label: string; inverse: string; color: string }
const LABELS: Record<string, Look> = {
  dependsOn: { label: 'depends on', inverse: 'is needed by', color: 'var(--ch-1)' },
  consumesApi: { label: 'consumes API', inverse: 'is consumed by', color: 'var(--ch-2)' },
  providesApi: { label: 'provides API', inverse: 'is provided by', color: 'var(--ch-5)' },
  ownedBy: { label: 'owned by', inverse: 'owns', color: 'var(--ch-6)' },
  partOf: { label: 'part of', inverse: 'has the parts', color: 'var(--ch-4)' },
  childOf: { label: 'child of', inverse: 'has the children', color: 'var(--ch-3)' },
  memberOf: { label: 'member of', inverse: 'has the members', color: 'var(--c-info-dot)' },
}
const plain = (type: string) => type.replace(/([A-Z])/g, ' $1').toLowerCase()
export const relationOf = (type: string): Look =>
  LABELS[type] ?? { label: plain(type), inverse: `is the target of “${plain(type)}” of`, color: 'var(--c-text-3)' }

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

/** Without some relations, and without what only they connect. */
export const without = (graph: Graph, focus: string, types: ReadonlySet<string>): Graph =>
  types.size ? withoutDetours({ ...graph, edges: mergeEdges(graph).filter((e) => !types.has(e.type)) }, focus) : graph

/** The nearest node in the direction of an arrow key. */
export function neighbour(at: Record<string, Place>, from: string, key: string): string | undefined {
  const dx = key === 'ArrowLeft' ? -1 : key === 'ArrowRight' ? 1 : 0
  const dy = key === 'ArrowUp' ? -1 : key === 'ArrowDown' ? 1 : 0
  const here = at[from]
  if (!here || (!dx && !dy)) return undefined
  let best: string | undefined
  let least = Infinity
  for (const [ref, p] of Object.entries(at)) {
    const along = (p.x - here.x) * dx + (p.y - here.y) * dy
    const aside = Math.abs((p.x - here.x) * dy) + Math.abs((p.y - here.y) * dx)
    // up and down stay in the column; to the side any row of the next column will do
    if (along <= 1 || aside > along * (dx ? 8 : 0.5) || along + aside * 2 >= least) continue
    least = along + aside * 2
    best = ref
  }
  return best
}
