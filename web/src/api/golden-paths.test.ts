import { expect, it } from 'vitest'
import { template } from '~/test/fixtures'
import type { Entity } from './types'
import { isForExisting, makingPaths } from './golden-paths'

const named = (name: string, tags: string[] = [], spec = {}): Entity => ({
  ...template,
  metadata: { ...template.metadata, name, tags },
  spec: { ...template.spec, ...spec },
})

it('offers what makes something, recommended ones first, and what works on an entity apart', () => {
  const all = [named('add-database', [], { 'taxiway:for': { kind: 'Component' } }), named('go'), named('python', ['recommended'])]
  expect(makingPaths(all).map((t) => t.metadata.name)).toEqual(['python', 'go'])
  expect(all.filter(isForExisting).map((t) => t.metadata.name)).toEqual(['add-database'])
})
