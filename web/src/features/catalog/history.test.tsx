import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'
import { calls, find, start } from '~/test/app'
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
