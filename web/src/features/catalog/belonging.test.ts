import { QueryClient } from '@tanstack/react-query'
import { expect, it } from 'vitest'
import { serve } from '~/test/app'
import { partsQuery } from './belonging'

const entity = (kind: string, name: string) => ({ kind, metadata: { name, namespace: 'default' } })

it('asks for the parts of every system of a large domain, and counts what several have once', async () => {
  const systems = Array.from({ length: 95 }, (_, n) => entity('System', `s${n}`))
  const calls = serve({
    'GET /api/catalog/entities/by-query': ({ url }: { url: URL }) => {
      const asked = url.searchParams.get('filter') ?? ''
      const items = asked.includes('domain:') ? systems : [entity('Component', 'shared'), entity('Component', asked)]
      return { items, totalItems: items.length, pageInfo: {} }
    },
  })
  const found = await new QueryClient().fetchQuery(partsQuery('domain:default/shop'))
  const asked = calls.slice(1).flatMap((c) => (c.url.searchParams.get('filter') ?? '').split(','))
  expect(new Set(asked)).toEqual(new Set(systems.map((s) => `relations.partOf=system:default/${s.metadata.name}`)))
  expect([found.total, found.items.length]).toEqual([95 + 1 + 3, 95 + 1 + 3])
})
