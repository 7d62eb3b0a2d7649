import { expect, test } from 'vitest'
import type { Graph } from '~/api/types'
import { layoutGraph, neighbour, without } from './graph-layout'

const ref = (name: string) => `component:default/${name}`
const node = (name: string) => ({
  ref: ref(name),
  kind: 'component',
  title: name,
  type: 'service',
  lifecycle: null,
  exists: true,
})
const edge = (source: string, target: string, type = 'dependsOn') => ({ source: ref(source), target: ref(target), type })
const graph = (names: string[], edges: Graph['edges']): Graph => ({ nodes: names.map(node), edges, truncated: false })

test('what needs the focus stands on its left, what it needs on its right', () => {
  const g = graph(['me', 'user', 'db', 'disk'], [edge('user', 'me'), edge('me', 'db'), edge('disk', 'db', 'dependencyOf')])
  const { at } = layoutGraph(g, ref('me'))
  const x = (name: string) => at[ref(name)]?.x ?? NaN
  expect(x('user')).toBeLessThan(x('me'))
  expect(x('me')).toBeLessThan(x('db'))
  expect(x('db')).toBeLessThan(x('disk')) // stated from the other end, it points the same way
})

test('sixty neighbours fold into columns that do not overlap and fit a panel', () => {
  const names = Array.from({ length: 60 }, (_, i) => `s${i}`)
  const g = graph(['me', ...names], names.map((n) => edge(n, 'me'))) // prettier-ignore
  const { at, width, height, node: size } = layoutGraph(g, ref('me'))
  const places = Object.values(at)
  for (const [i, a] of places.entries())
    for (const b of places.slice(i + 1)) expect(Math.abs(a.x - b.x) >= size.w || Math.abs(a.y - b.y) >= size.h).toBe(true)
  expect(height).toBeLessThan(700)
  expect(width).toBeLessThan(1100)
})

test('a hidden relation takes along what only it connects', () => {
  const g = graph(['me', 'a', 'b'], [edge('me', 'a'), edge('a', 'b', 'consumesApi')])
  expect(without(g, ref('me'), new Set(['consumesApi'])).nodes.map((n) => n.title)).toEqual(['me', 'a'])
  expect(without(g, ref('me'), new Set(['dependsOn'])).nodes.map((n) => n.title)).toEqual(['me'])
})

test('an arrow key goes to the nearest node in its direction', () => {
  const at = { here: { x: 0, y: 0 }, right: { x: 200, y: 10 }, far: { x: 400, y: 0 }, below: { x: 5, y: 60 } }
  expect(neighbour(at, 'here', 'ArrowRight')).toBe('right')
  expect(neighbour(at, 'here', 'ArrowDown')).toBe('below')
  expect(neighbour(at, 'here', 'ArrowLeft')).toBeUndefined()
})
