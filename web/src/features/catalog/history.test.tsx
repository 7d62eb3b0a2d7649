import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'
import { calls, find, Refused, serve, start } from '~/test/app'
import { sidesOf } from './changes'
import { base } from '~/test/fixtures'

const version = {
  version: 1,
  uid: 'u',
  verb: 'created',
  at: 1_700_000_000_000_000,
  until: 1_700_000_100_000_000,
  current: false,
  actor: 'user:default/bea',
  via: 'api',
  request_id: 'r-1',
  commit: '0123456789abcdef0123456789abcdef01234567',
  owner: 'group:default/checkout',
  source_id: 's-1',
  source: 'git:shop//',
  location: 'url:https://host/shop.git/catalog-info.yaml',
  line: 1,
  diff: [],
}
const changed = {
  ...version,
  version: 2,
  verb: 'updated',
  at: 1_700_000_100_000_000,
  until: null,
  current: true,
  diff: [
    { op: 'replace', path: '/spec/owner', value: 'payments', old: 'checkout' },
    { op: 'add', path: '/metadata/annotations/example.org~1x', value: 'yes', old: null },
  ],
}
const NAME = 'GET /api/catalog/entities/by-name/component/default/orders'

it('tells who changed what, and shows the document of that time', async () => {
  start('/catalog/component/default/orders?tab=history', {
    'GET /api/catalog/v1/history/component/default/orders': { items: [changed, version], next_cursor: null },
    [NAME]: ({ url }: { url: URL }) =>
      url.searchParams.has('as_of')
        ? { ...(base[NAME] as object), spec: { owner: 'checkout', type: 'old-service' } }
        : base[NAME],
  })
  const list = await screen.findByRole('list', { name: 'Versions' }, find)
  const [first, second] = within(list).getAllByText(/^(Changed|Created)$/)
  expect([first?.textContent, second?.textContent]).toEqual(['Changed', 'Created'])
  const changes = within(list).getByRole('list', { name: 'Changes of version 2' })
  expect(within(changes).getByText('spec.owner')).toBeInTheDocument()
  expect(within(changes).getByText('metadata.annotations.example.org/x')).toBeInTheDocument()
  expect(within(changes).getByText('checkout').tagName).toBe('DEL')
  expect(within(changes).getByText('payments').tagName).toBe('INS')
  await userEvent.click(within(list).getAllByRole('button', { name: 'As it was' })[1] as HTMLElement)
  expect(await screen.findByText(/old-service/)).toBeInTheDocument()
  expect(calls.find((c) => c.url.searchParams.has('as_of'))?.url.searchParams.get('as_of')).toBe(String(version.at))
})

it('tells of lists only what went and what came', () => {
  const change = (old: unknown, value: unknown) => sidesOf({ op: 'replace', path: '/metadata/tags', old, value })
  expect(change(['a', 'b'], ['b', 'c', 'd'])).toEqual({ gone: ['a'], come: ['c', 'd'] })
  expect([change([], ['a']), change(['a'], [])]).toEqual([
    { gone: [], come: ['a'] },
    { gone: ['a'], come: [] },
  ])
  expect(change(['a', 'b'], ['b', 'a'])).toEqual({ gone: ['a', 'b'], come: ['b', 'a'] })
  expect(change('', [])).toEqual({ gone: [''], come: ['[]'] })
})

it('has a page for the history of what was removed', async () => {
  start('/catalog/component/default/gone/history', {
    'GET /api/catalog/v1/history/component/default/gone': {
      items: [{ ...version, verb: 'deleted', actor: null, diff: null }, version],
      next_cursor: null,
    },
  })
  const list = await screen.findByRole('list', { name: 'Versions' }, find)
  expect(within(list).getByText('Removed')).toBeInTheDocument()
  expect(within(list).getByText(/it is not kept/)).toBeInTheDocument()
  expect(screen.getByRole('heading', { level: 1, name: 'gone' })).toBeInTheDocument()
})

it('lists problems with file, line and remedy, and filters on the server', async () => {
  const problem = {
    id: 'p-1',
    source_id: 's-2',
    ref: 'component:default/orders',
    location: 'url:https://host/thief.git/catalog-info.yaml',
    line: 7,
    detail: 'component:default/orders is described by another source already',
    remedy: 'Rename one of the two.',
    at: 1_700_000_000_000_000,
    code: 'conflict',
    other_source_id: 's-1',
    exists: true,
  }
  const { router } = start('/catalog/problems', { 'GET /api/catalog/problems': { items: [problem], next_cursor: null } })
  const table = await screen.findByRole('table', { name: 'Problems' }, find)
  expect(within(table).getByText(/catalog-info.yaml/)).toHaveTextContent('line 7')
  expect(within(table).getByText('Rename one of the two.')).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Filter by Kind of problem' }))
  await userEvent.click(await screen.findByRole('checkbox', { name: /Conflict/, hidden: true }))
  expect(router.state.location.search).toEqual({ code: 'conflict' })
  expect(calls.some((c) => c.url.searchParams.get('code') === 'conflict')).toBe(true)
})

const source = { id: 'loc-9', type: 'url', target: 'https://host/orders.git', entities: 3, problems: 0, conflicts: 0, orphans: 0, held: 0, layers: 0, layers_waiting: 0, registered_by: 'user:default/dana', owner: null, trusted: false, commit: null, refreshed_at: null, changed_at: null, last_run: null } // prettier-ignore

it('unregisters a source that a link names and that no page lists yet', async () => {
  const { router } = start('/catalog/sources?source=loc-9', {
    'GET /api/catalog/v1/sources': { items: [], next_cursor: 'more' },
    'GET /api/catalog/v1/sources/loc-9': source,
    'DELETE /api/catalog/locations/loc-9': {},
  })
  await userEvent.click(await screen.findByRole('button', { name: 'Unregister…' }, find))
  const dialog = within(await screen.findByRole('dialog'))
  expect(dialog.getByText(/^3 entities leave the catalog at once/)).toBeInTheDocument()
  await userEvent.click(dialog.getByRole('button', { name: 'Unregister' }))
  await waitFor(() => expect(calls.some((c) => c.method === 'DELETE' && c.path.endsWith('/loc-9'))).toBe(true))
  await waitFor(() => expect(router.state.location.search).not.toHaveProperty('source'))
})

it('lists what waits of a pushed source, as far as it was asked for, and keeps it', async () => {
  const x = { ...source, id: 'push:cmdb', type: 'push', target: 'cmdb', state: 'held', held: 51, entities: 60 }
  const held = { ref: 'component:default/till', owner: null, since_at: 1_700_000_000_000_000, location: 'push:cmdb' }
  start('/catalog/sources?source=push%3Acmdb', {
    'GET /api/catalog/v1/sources': { items: [x, { ...x, id: 'push:one', target: 'one', held: 1 }], next_cursor: null },
    'GET /api/catalog/v1/sources/push%3Acmdb': x,
    'GET /api/catalog/v1/sources/push%3Acmdb/held': { items: [held], next_cursor: 'more' },
    'POST /api/catalog/v1/sources/push%3Acmdb/review': { removed: 0, kept: 51 },
  })
  const waits = within(await screen.findByRole('region', { name: 'Removals that wait' }, find))
  expect(await waits.findByText('The first 50 of 51.')).toBeInTheDocument()
  expect(screen.getByText('1 removal waits')).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'Read now' })).toBeNull()
  await userEvent.click(waits.getByRole('button', { name: 'Keep them' }))
  await waitFor(() => expect(calls.find((c) => c.method === 'POST')?.body).toEqual({ decision: 'keep' }))
})

it('asks for the source of an entity again when it could not be looked up', async () => {
  const LOCATION = 'GET /api/catalog/locations/by-entity/component/default/orders'
  const answers = { [LOCATION]: new Refused(503, { detail: 'the store does not answer', code: 'unavailable' }), 'GET /api/catalog/v1/sources/loc-9': { ...source, type: 'import' } } // prettier-ignore
  start('/catalog/component/default/orders', answers)
  await userEvent.click(await screen.findByRole('button', { name: 'More actions' }, find))
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Unregister its source…' }, find))
  const dialog = within(await screen.findByRole('dialog', {}, find))
  const again = await dialog.findByRole('button', { name: 'Try again' }, find)
  serve({ ...base, ...answers, [LOCATION]: { id: 'loc-9', type: 'import', target: 'cmdb' } })
  await userEvent.click(again)
  expect(await dialog.findByText(/Importing it again brings them back/, {}, find)).toBeInTheDocument()
})

it('looks at what a registration would bring, and leads to the problems when it brings nothing', async () => {
  const seen: (string | null)[] = []
  const { router } = start('/catalog?register=true', {
    'POST /api/catalog/locations': ({ url }: { url: URL }) => {
      seen.push(url.searchParams.get('dryRun'))
      const entities = url.searchParams.get('dryRun') ? [{ kind: 'Location', metadata: { name: 'x' } }, { kind: 'Component', metadata: { name: 'tills' } }] : [] // prettier-ignore
      return { location: { id: 'loc-1' }, entities, totalItems: 0 }
    },
  })
  await userEvent.type(await screen.findByLabelText(/^Target/, {}, find), 'https://host/tills.git')
  await userEvent.click(screen.getByRole('button', { name: 'Look first' }))
  const found = await screen.findByRole('status', { name: 'What it would bring' }, find)
  expect(found).toHaveTextContent('1 entity is in it')
  expect(within(found).getByText('tills')).toBeInTheDocument()
  await userEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Register' }))
  await waitFor(() => expect(router.state.location).toMatchObject({ pathname: '/catalog/problems', search: { source: 'loc-1' } }), find) // prettier-ignore
  expect(seen).toEqual(['true', null])
})

it('leads from an entity that was removed to its history', async () => {
  start('/catalog/component/default/gone', {
    'GET /api/catalog/v1/history/component/default/gone': { items: [{ verb: 'deleted', at: 1, version: 2 }], next_cursor: null },
  })
  expect(await screen.findByRole('heading', { name: 'gone is not in the catalog any more' }, find)).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'Its history' })).toHaveAttribute('href', '/catalog/component/default/gone/history')
})
