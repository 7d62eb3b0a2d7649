import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'
import type { GoldenService, UpgradePlan } from '~/api/types'
import { type Answers, calls, find, Refused, renderAt, serve } from '~/test/app'
import { base, run, service } from '~/test/fixtures'

const SERVICES = 'GET /api/scaffolder/v1/services'
const PLAN = 'POST /api/scaffolder/v1/upgrades/plan'
const orders: GoldenService = {
  subject: 'component:default/orders',
  repository: 'orders',
  owner: 'group:default/checkout',
  template: 'template:default/python-service',
  version: '0d522d51c2f7',
  newest: '1f64931058a8',
  state: 'behind',
  pull: null,
  answers: {},
  created_at: 1_700_000_000_000_000,
  upgraded_at: null,
  run_id: 'r-1',
}
const tier = {
  name: 'tier',
  schema: { type: 'string', title: 'Tier' },
  is_required: true,
  is_new: true,
  answer: null,
  problem: 'it needs an answer',
}
const asked: UpgradePlan = {
  ...orders,
  to: '1f64931058a8',
  questions: [tier],
  files: null,
  conflicts: [],
  is_record_changed: false,
  is_ready: false,
}
const file = { path: 'app.py', status: 'modified', previous_path: null, additions: 1, deletions: 1, is_binary: false, patch: '@@ -1 +1 @@\n-a\n+b\n', is_cut: false } // prettier-ignore
const ready = {
  ...asked,
  questions: [{ ...tier, answer: 'gold', problem: null }],
  files: [file],
  file_count: 1,
  additions: 1,
  deletions: 1,
  conflicts: [{ path: 'app.py', kind: 'content', detail: 'both sides changed it' }],
  is_ready: true,
}
const start = (url: string, more: Answers = {}) => {
  serve({
    ...base,
    [`GET /api/runs/v1/runs/${run.id}*`]: run,
    [SERVICES]: { items: [orders], next_cursor: null },
    'GET /api/scaffolder/v1/golden-paths': { items: [], coverage: { total: 4, covered: 1, share: 0.25 } },
    'GET /api/scaffolder/v1/adoptions': {
      items: [
        {
          repository: 'old-shop',
          subject: 'component:default/old-shop',
          owner: null,
          tool: 'copier',
          source: 'gh:a/b',
          template: orders.template,
        },
      ],
      next_cursor: null,
    },
    ...more,
  })
  return renderAt(url)
}

it('asks what is new, shows what changes, and starts the run', async () => {
  const { router } = start('/create/upgrades?upgrade=component:default/orders', {
    [PLAN]: ({ body }: { body: { answers: { tier?: string } } }) => (body.answers.tier ? ready : asked),
    'POST /api/scaffolder/v1/upgrades': { id: run.id },
  })
  const drawer = within(await screen.findByRole('dialog', {}, find))
  await userEvent.type(await drawer.findByLabelText(/Tier/, {}, find), 'gold')
  expect(drawer.getByRole('button', { name: 'Open the pull request' })).toBeDisabled()
  await userEvent.click(drawer.getByRole('button', { name: 'Show what changes' }))
  expect(await drawer.findByText(/both sides changed it/, {}, find)).toBeInTheDocument()
  expect(drawer.getByRole('region', { name: 'Changes of app.py' })).toBeInTheDocument()
  await userEvent.click(drawer.getByRole('button', { name: 'Open the pull request' }))
  await waitFor(() => expect(router.state.location.pathname).toBe(`/runs/${run.id}`), find)
  const sent = calls.find((c) => c.path === '/api/scaffolder/v1/upgrades' && c.method === 'POST')
  expect(sent?.body).toEqual({ subject: 'component:default/orders', answers: { tier: 'gold' } })
})

it('upgrades a fleet with the answers for all of them', async () => {
  const { router } = start('/create/upgrades?template=template:default/python-service', {
    [PLAN]: asked,
    'POST /api/scaffolder/v1/fleet-upgrades': { id: run.id },
  })
  await userEvent.click(await screen.findByRole('button', { name: 'Upgrade a fleet' }, find))
  const modal = within(await screen.findByRole('dialog', {}, find))
  await userEvent.type(await modal.findByLabelText(/Tier/, {}, find), 'gold')
  expect(modal.getByRole('button', { name: 'Start' })).toBeDisabled()
  await userEvent.click(modal.getByRole('button', { name: 'Answer for all of them' }))
  await userEvent.click(modal.getByRole('button', { name: 'Start' }))
  await waitFor(() => expect(router.state.location.pathname).toBe(`/runs/${run.id}`), find)
  expect(calls.find((c) => c.path.endsWith('/fleet-upgrades'))?.body).toEqual({
    template_ref: 'template:default/python-service',
    canary: 1,
    pace: 5,
    stop_after_failures: 1,
    answers: { tier: 'gold' },
  })
})

it('tells who may not see the services, and what an empty list means', async () => {
  const detail = 'it needs scaffolder.read'
  start('/create/upgrades', { [SERVICES]: new Refused(403, { detail, code: 'not_allowed.scaffolder.read' }) })
  expect(await screen.findByText('You may not see this', {}, find)).toBeInTheDocument()
})

it('says on the page of an entity that it lags behind, and declines the version', async () => {
  const { metadata } = service
  const url = `/catalog/component/${metadata.namespace ?? 'default'}/${metadata.name}`
  start(url, { 'POST /api/scaffolder/v1/services/decline': { ...orders, state: 'declined' } })
  expect(await screen.findByRole('heading', { name: 'Golden path' }, find)).toBeInTheDocument()
  expect(screen.getByText('behind')).toBeInTheDocument()
  expect(screen.getByRole('link', { name: 'Upgrade' })).toHaveAttribute(
    'href',
    expect.stringContaining('/create/upgrades?upgrade='),
  )
  await userEvent.click(screen.getByRole('button', { name: 'Decline' }))
  await waitFor(() => expect(calls.some((c) => c.path.endsWith('/services/decline'))).toBe(true))
})

it('adopts a repository that another tool made, and says how much is on a golden path', async () => {
  start('/create/upgrades', { 'POST /api/scaffolder/v1/adoptions': { id: run.id } })
  expect(await screen.findByText(/1 of 4 services and websites/, undefined, find)).toBeVisible()
  await userEvent.click(await screen.findByRole('button', { name: 'Adopt old-shop' }, find))
  await waitFor(() => expect(calls).toContainEqual(expect.objectContaining({ body: { repository: 'old-shop' } })), find)
})
