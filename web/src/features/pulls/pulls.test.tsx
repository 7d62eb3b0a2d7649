import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'
import type { PullDetail, Review } from '~/api/types'
import { type Answers, calls, find, Refused, renderAt, serve } from '~/test/app'
import { base, T0 } from '~/test/fixtures'

const PATH = '/api/pulls/v1/pulls/orders/7'
const pull: PullDetail = {
  id: 'p-1',
  repository: 'orders',
  number: 7,
  title: 'Add a health check',
  body: 'Because of **this**.',
  author: 'user:default/kim',
  state: 'open',
  reason: '',
  draft: false,
  base: 'main',
  head: 'health',
  base_sha: 'b'.repeat(40),
  head_sha: 'a'.repeat(40),
  merge_sha: null,
  method: null,
  merged_by: null,
  created_at: T0,
  updated_at: T0,
  ended_at: null,
  version: 3,
  mergeable: 'clean',
  merging: false,
  gates: [{ id: 'approvals', title: 'Approvals', verdict: 'passed', detail: '' }],
  methods: ['squash', 'rebase'],
  checks: [{ name: 'ci.yml', source: 'pull_request', state: 'succeeded', detail: '', run_id: 'r-1', url: null, updated_at: T0 }],
  reviewers: [],
  ahead: 2,
  behind: 0,
  actions: ['comment', 'review', 'edit', 'close', 'merge'],
}
const remark: Review = {
  id: 'v-1',
  author: 'user:default/lee',
  verdict: 'comment',
  body: 'Why new?',
  commit: 'a'.repeat(40),
  path: 'a.py',
  line: 2,
  counts: false,
  created_at: T0,
  dismissed_at: null,
  dismissed_by: null,
  dismissed_reason: null,
}
const start = (url: string, more: Answers = {}) => {
  serve({ ...base, [`GET ${PATH}`]: pull, [`GET ${PATH}/reviews`]: { items: [], next_cursor: null }, ...more })
  return renderAt(url)
}

it('lists what is open, and keeps the filter in the URL', async () => {
  const { router } = start('/pulls', { 'GET /api/pulls/v1/pulls': { items: [pull], next_cursor: null } })
  expect(await screen.findByRole('link', { name: /Add a health check/ }, find)).toHaveAttribute('href', '/pulls/orders/7')
  expect(calls.find((c) => c.path === '/api/pulls/v1/pulls')?.url.searchParams.get('state')).toBe('open')
  await userEvent.click(screen.getByRole('button', { name: 'Filter by State' }))
  await userEvent.click(await screen.findByRole('checkbox', { name: /merged/, hidden: true }))
  await waitFor(() => expect(router.state.location.search).toEqual({ state: 'merged' }))
  await userEvent.click(screen.getByRole('checkbox', { name: /merged/, hidden: true }))
  await waitFor(() => expect(router.state.location.search).toEqual({ state: 'all' }))
})

it('merges as it was seen, in a way that the rule allows', async () => {
  start('/pulls/orders/7', { [`POST ${PATH}/merge`]: { ...pull, state: 'merged' } })
  expect(await screen.findByText('It can be merged', {}, find)).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Merge into main' }))
  await waitFor(() => expect(calls.some((c) => c.method === 'POST')).toBe(true))
  const body = calls.find((c) => c.method === 'POST')?.body
  expect(body).toEqual({ method: 'squash', delete_branch: true, head_sha: 'a'.repeat(40) })
})

it('says why a merge was refused', async () => {
  const detail = 'main moved on since bbbbbbb: look at the pull request again, then merge'
  start('/pulls/orders/7', { [`POST ${PATH}/merge`]: new Refused(409, { detail, code: 'pulls.base_moved' }) })
  await userEvent.click(await screen.findByRole('button', { name: 'Merge into main' }, find))
  expect(await screen.findByText(`${detail}.`, {}, find)).toBeInTheDocument()
})

it('shows what is missing and offers no merge', async () => {
  const gates = [{ id: 'approvals', title: 'Approvals', verdict: 'pending', detail: '1 of 2 approvals: ask for a review' }]
  start('/pulls/orders/7', { [`GET ${PATH}`]: { ...pull, mergeable: 'blocked', gates, actions: ['comment'] } })
  expect(await screen.findByText('Something is missing', {}, find)).toBeInTheDocument()
  expect(screen.getByText('1 of 2 approvals: ask for a review')).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: /Merge|Approve|Close/ })).toBeNull()
})

it('approves the commit that was looked at', async () => {
  start('/pulls/orders/7', { [`POST ${PATH}/reviews`]: {} })
  await userEvent.click(await screen.findByRole('button', { name: 'Approve' }, find))
  await waitFor(() => expect(calls.some((c) => c.method === 'POST')).toBe(true))
  expect(calls.find((c) => c.method === 'POST')?.body).toEqual({ verdict: 'approve', body: '', commit: 'a'.repeat(40) })
})

it('shows files with their lines, binary ones and those that are cut', async () => {
  const file = { status: 'modified', previous_path: null, is_binary: false, is_cut: false }
  const items = [
    { ...file, path: 'a.py', additions: 1, deletions: 1, patch: '@@ -1,2 +1,2 @@\n x\n-old\n+new\n' },
    { ...file, path: 'logo.png', additions: null, deletions: null, is_binary: true, patch: null },
    { ...file, path: 'big.json', additions: 90_000, deletions: 0, is_cut: true, patch: null },
  ]
  start('/pulls/orders/7?tab=files', {
    [`GET ${PATH}/files`]: { items, next_cursor: null, total: 3, additions: 90_001, deletions: 1 },
    [`GET ${PATH}/reviews`]: { items: [remark, { ...remark, id: 'old', body: 'Outdated', commit: 'c' }], next_cursor: null },
    [`POST ${PATH}/reviews`]: {},
  })
  const code = await screen.findByRole('region', { name: 'Changes of a.py' }, find)
  expect(within(code).getByText('new')).toBeInTheDocument()
  expect(within(code).getByText('old')).toBeInTheDocument()
  expect(await within(code).findByText('Why new?')).toBeInTheDocument()
  expect(within(code).queryByText('Outdated')).toBeNull()
  await userEvent.click(screen.getAllByText('Comment on a line')[0] as HTMLElement)
  await userEvent.type(screen.getByLabelText('Line'), '2')
  await userEvent.type(screen.getByLabelText('Comment'), 'Because.')
  await userEvent.click(screen.getByRole('button', { name: 'Comment on a.py' }))
  await waitFor(() => expect(calls.some((c) => c.method === 'POST')).toBe(true))
  const sent = { verdict: 'comment', body: 'Because.', path: 'a.py', line: 2, commit: 'a'.repeat(40) }
  expect(calls.find((c) => c.method === 'POST')?.body).toEqual(sent)
  expect(screen.getByText('A binary file.')).toBeInTheDocument()
  expect(screen.getByText(/Too large to be shown here/)).toBeInTheDocument()
})
