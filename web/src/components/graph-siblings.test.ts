import { expect, test } from 'vitest'
import type { Graph } from '~/api/types'
import { layoutGraph } from './graph-layout'
import { collapseSiblings, crowdTitle, oneSide } from './graph-siblings'

const node = (ref: string) => ({ ref, kind: ref.split(':')[0] ?? '', title: ref, type: null, lifecycle: null, exists: true })
const edge = (source: string, target: string, type = 'dependsOn') => ({ source, target, type })
const graph = (edges: Graph['edges']): Graph => ({
  nodes: [...new Set(edges.flatMap((e) => [e.source, e.target]))].map(node),
  edges,
  truncated: false,
})
const c = (name: string) => `component:default/${name}`
const crowd = (n: number, of: string) => Array.from({ length: n }, (_, i) => edge(c(`user-${i}`), c(of)))

test('two hundred entities over three hops are drawn without one above another', () => {
  const services = Array.from({ length: 12 }, (_, i) => c(`service-${i}`))
  const g = graph([
    ...crowd(18, 'hub'),
    ...services.flatMap((s, i) => [
      edge(c('hub'), s),
      ...Array.from({ length: 14 }, (_, j) => edge(s, `resource:default/r-${i}-${j}`)),
    ]),
  ])
  const { graph: drawn, crowds } = collapseSiblings(g, c('hub'), new Set())
  expect([drawn.nodes.length, crowds.length]).toEqual([199, 0])
  const { at, node: size } = layoutGraph(drawn, c('hub'))
  const places = Object.values(at)
  expect(places).toHaveLength(199)
  const above = places.flatMap((a, i) =>
    places.slice(i + 1).filter((b) => Math.abs(a.x - b.x) < size.w && Math.abs(a.y - b.y) < size.h),
  )
  expect(above).toEqual([])
})

test('more than twenty alike stand as one with their number until they are opened', () => {
  const g = graph([...crowd(21, 'hub'), edge(c('hub'), c('db')), edge(c('user-3'), c('db'))])
  const closed = collapseSiblings(g, c('hub'), new Set())
  const id = `${c('hub')}<dependsOn`
  expect(closed.graph.nodes.map((n) => n.ref)).toEqual([c('hub'), c('db'), id])
  expect(closed.graph.nodes[2]?.title).toBe('21 components')
  // what one of them needs is still known to be needed by them
  expect(closed.graph.edges).toContainEqual(edge(id, c('db')))
  const open = collapseSiblings(g, c('hub'), new Set([id]))
  expect(open.graph.nodes).toHaveLength(23)
  expect(open.crowds.map(crowdTitle)).toEqual(['21 components'])
  expect(collapseSiblings(graph(crowd(20, 'hub')), c('hub'), new Set()).crowds).toEqual([])
})

test('one way only shows what it needs, at any distance, whichever end stated it', () => {
  const g = graph([edge(c('user'), c('me')), edge(c('me'), c('db')), edge(c('disk'), c('db'), 'dependencyOf')])
  expect(oneSide(g, c('me'), 'out').nodes.map((n) => n.ref)).toEqual([c('me'), c('db'), c('disk')])
  expect(oneSide(g, c('me'), 'in').nodes.map((n) => n.ref)).toEqual([c('user'), c('me')])
})
