import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'
import type { Kind, View } from '~/api/types'
import { type Answers, calls, find, Refused, renderAt, serve } from '~/test/app'
import { base, service } from '~/test/fixtures'
import { filterOf, isAsKept, keptOf, predicateOf, stateOf } from '../catalog-filter'
import { columnsOf, fieldsOf, placesOf, valuesAt } from '../columns'
import { exportPath } from './export'

const view = (more: Partial<View>): View => ({ id: 'v1', name: 'risky', title: 'Risky', owner: 'user:default/dana', visible_to: 'owner', kind: 'component', filters: [], query: null, text: '', columns: [], sort: null, may_edit: true, is_default: false, created_by: 'user:default/dana', created_at: 1, updated_at: 1, version: 3, ...more }) // prettier-ignore
const kind = { name: 'System', plural: 'Systems', columns: [{ title: 'Parts', path: 'properties.parts', type: 'integer', sortable: false }], more_columns: [{ title: 'Domain', path: 'spec.domain', type: 'string', sortable: true }], relations: [{ field: 'owner', type: 'ownedBy' }, { field: 'domain', type: 'partOf', default_kind: 'domain' }], spec_schema: {} } as unknown as Kind // prettier-ignore

it('shows as pills what they can say, and keeps the rest of a view as it is written', () => {
  const kept = view({ filters: ['spec.lifecycle=production,metadata.labels.tier=1,metadata.tags=a,metadata.tags=b'] })
  const state = stateOf(kept)
  expect(state).toMatchObject({ lifecycle: ['production'], tag: ['a', 'b'], filter: ['metadata.labels.tier=1'] })
  expect(filterOf(state)).toEqual([
    'kind=component,spec.lifecycle=production,metadata.tags=a,metadata.tags=b,metadata.labels.tier=1',
  ])
  const either = view({ filters: ['spec.type=service', 'metadata.tags=x'], sort: 'properties.cost,desc,number' })
  expect(filterOf({ ...stateOf(either), owner: ['group:default/a'] })).toEqual([
    'kind=component,relations.ownedBy=group:default/a,spec.type=service',
    'kind=component,relations.ownedBy=group:default/a,metadata.tags=x',
  ])
  expect(keptOf(stateOf(either))).toMatchObject({ filters: either.filters, sort: 'properties.cost,desc,number' })
  expect(stateOf(either).sort).toBe('-properties.cost,number')
  expect([isAsKept(stateOf(either), either), isAsKept({ ...stateOf(either), q: 'x' }, either)]).toEqual([true, false])
})

it('asks with a predicate where a view has one, narrowed by the pills', () => {
  const state = { ...stateOf(view({ query: { 'spec.type': 'service' } })), tag: ['a', 'b'], filter: ['metadata.title'] }
  expect(predicateOf(state)).toEqual({
    $all: [
      { 'spec.type': 'service' },
      {
        $all: [
          { kind: { $in: ['component'] } },
          { 'metadata.tags': { $in: ['a', 'b'] } },
          { 'metadata.title': { $exists: true } },
        ],
      },
    ],
  })
  expect(predicateOf({ query: 'no json' })).toBeUndefined()
  expect(exportPath(state, undefined)).toBeUndefined()
  expect(exportPath(state, view({}))).toBe('/api/catalog/v1/export?format=csv&view=v1')
})

it('has the columns of the kind, and those that were chosen in their order', () => {
  expect(columnsOf(kind, undefined).map((c) => [c.path, c.type])).toEqual([
    ['spec.owner', 'owner'],
    ['properties.parts', 'integer'],
  ])
  const chosen = columnsOf(kind, ['metadata.labels.tier', 'spec.domain', 'running'])
  expect(chosen.map((c) => [c.title, c.sortable, c.kind])).toEqual([
    ['tier', true, undefined],
    ['Domain', true, 'domain'],
    ['Running', false, undefined],
  ])
  expect(placesOf(columnsOf(undefined, undefined))).toEqual(['medium', 'wide', 'wide', 'narrow', 'wide', 'wide'])
  expect(fieldsOf(chosen)).toMatch(/,metadata\.labels\.tier,spec\.domain$/)
  expect(valuesAt({ a: { 'b.c/d': [1, { x: null }] } }, 'a.b.c/d')).toEqual(['1', '{"x":null}'])
})

const start = (url: string, items: View[], more: Answers = {}) => {
  const page = { items: [service], totalItems: 1, pageInfo: {} }
  serve({ ...base, 'GET /api/catalog/v1/views': { items, next_cursor: null }, 'GET /api/catalog/v1/kinds': { items: [], next_cursor: null }, 'GET /api/catalog/entities/by-query': page, ...more }) // prettier-ignore
  return renderAt(url)
}

it('opens with the default view, whose table is written out in the address', async () => {
  const { router } = start('/catalog', [view({ is_default: true, filters: ['spec.type=service'] })])
  expect(await screen.findByRole('button', { name: 'View: Risky' }, find)).toBeInTheDocument()
  expect(router.state.location.search).toMatchObject({ view: 'v1', kind: 'component', type: ['service'] })
  await userEvent.click(await screen.findByRole('button', { name: 'Name' }, find))
  await userEvent.click(await screen.findByRole('button', { name: 'View: Risky, changed' }, find))
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Everything' }, find))
  await waitFor(() => expect(router.state.location.search).toEqual({ view: 'none' }), find)
})

it('saves a change with the version that it was read at, and says why a link shows nothing', async () => {
  const { router } = start('/catalog?view=v1&q=x', [view({})], {
    'PUT /api/catalog/v1/views/v1': view({ version: 4 }),
    'GET /api/catalog/v1/views/gone': new Refused(404, { detail: 'no view', code: 'catalog.no_view' }),
  })
  await userEvent.click(await screen.findByRole('button', { name: 'View: Risky, changed' }, find))
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Save the changes' }, find))
  await waitFor(() => expect(calls.some((c) => c.method === 'PUT')).toBe(true), find)
  const sent = calls.find((c) => c.method === 'PUT')
  expect(sent?.headers.get('if-match')).toBe('"3"')
  expect(sent?.body).toMatchObject({ name: 'risky', text: 'x', owner: 'user:default/dana', visible_to: 'owner' })
  await router.navigate({ to: '/catalog', search: { view: 'gone' } })
  expect(await screen.findByText('You cannot see this view', {}, find)).toBeInTheDocument()
})
