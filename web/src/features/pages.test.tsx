import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'
import { calls, find, Refused, serve, start } from '~/test/app'
import { base, matrix, plan, run } from '~/test/fixtures'

it('keeps the catalog filter in the URL and asks the server for it', async () => {
  const { router } = start('/catalog?kind=component')
  await userEvent.click(await screen.findByRole('button', { name: 'Filter by Owner' }, find))
  await userEvent.click(await screen.findByRole('checkbox', { name: /checkout/, hidden: true }))
  await waitFor(() =>
    expect(router.state.location.search).toMatchObject({ kind: 'component', owner: ['group:default/checkout'] }),
  )
  await waitFor(() =>
    expect(
      calls.some(
        (c) =>
          c.path.endsWith('by-query') &&
          c.url.searchParams.get('filter') === 'kind=component,relations.ownedBy=group:default/checkout',
      ),
    ).toBe(true),
  )
})

it('shows in the field what the address comes to by itself, and keeps what is typed meanwhile', async () => {
  const { router } = start('/catalog?kind=component')
  const field = await screen.findByLabelText('Filter entities', {}, find)
  await router.navigate({ to: '/catalog', search: { kind: 'component', q: 'bill' } })
  await waitFor(() => expect(field).toHaveValue('bill'), find)
  await userEvent.type(field, 'ing')
  await waitFor(() => expect(router.state.location.search).toMatchObject({ q: 'billing' }), find)
  expect(field).toHaveValue('billing')
  router.history.back()
  await waitFor(() => expect(router.state.location.search).not.toHaveProperty('q'), find)
  await waitFor(() => expect(field).toHaveValue(''), find)
  await router.navigate({ to: '/catalog', search: { kind: 'component', q: 'pay' } })
  await waitFor(() => expect(field).toHaveValue('pay'), find)
  await userEvent.type(field, 'ments')
  router.history.back() // before the address has it
  await waitFor(() => expect(field).toHaveValue(''), find)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(router.state.location.search).not.toHaveProperty('q')
})

it('names the permission when a list is denied, and offers nothing about it', async () => {
  const { router } = start('/settings/config', {
    'GET /api/access/v1/roles': new Refused(403, { detail: 'you need access.roles', code: 'not_allowed' }),
    'GET /api/system/v1/config': new Refused(403, {
      detail: 'you need system.config.read: ask an administrator',
      code: 'not_allowed',
      request_id: 'r-9',
    }),
  })
  expect(await screen.findByText('You may not see this', {}, find)).toBeInTheDocument()
  expect(screen.getAllByText(/system\.config\.read/)).toHaveLength(1)
  expect(screen.getByText(/^You need\s*: ask an administrator\.$/)).toBeInTheDocument()
  expect(screen.getByText(/r-9/)).toBeInTheDocument()
  await router.navigate({ to: '/settings/{-$section}', params: { section: 'roles' } })
  expect(await screen.findByText('access.roles', {}, find)).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'Give a role' })).toBeNull()
})

it('shows code and request id of an error and tries again', async () => {
  const { queryClient } = start('/settings/plugins', {
    'GET /api/plugins/v1/plugins': new Refused(503, {
      detail: 'the store does not answer',
      code: 'unavailable',
      request_id: 'r-7',
    }),
  })
  expect(await screen.findByText(/The store does not answer\./, {}, find)).toBeInTheDocument()
  expect(screen.getByText(/unavailable · request r-7/)).toBeInTheDocument()
  serve({
    ...base,
    'GET /api/plugins/v1/plugins': {
      items: [{ name: 'act', version: '1', state: 'loaded', reason: '', description: '', contributions: [] }],
      next_cursor: null,
    },
  })
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
  expect(await screen.findByText('act', {}, find)).toBeInTheDocument()
  queryClient.clear()
})

it('refuses a wizard step until it is filled, shows the plan, and starts the task with the CSRF token', async () => {
  const { router } = start('/create/default/python-service', {
    'POST /api/scaffolder/v1/plans': plan,
    'POST /api/scaffolder/v2/tasks': { id: 'run-1' },
    'GET /api/runs/v1/runs/run-1': run,
    'GET /api/runs/v1/runs/run-1/logs': { items: [], next_cursor: null },
  })
  await userEvent.type(await screen.findByLabelText(/^Name/, {}, find), 'Orders!')
  await userEvent.click(screen.getByRole('button', { name: 'Continue' }))
  expect((await screen.findAllByText('Lower-case letters and dashes.')).length).toBeGreaterThan(1)
  expect(screen.getByText('Fill this in')).toBeInTheDocument()
  await userEvent.clear(screen.getByLabelText(/^Name/))
  await userEvent.type(screen.getByLabelText(/^Name/), 'orders')
  await userEvent.click(screen.getByRole('combobox', { name: /Owner/ }))
  await userEvent.click(await screen.findByRole('option', { name: /checkout/, hidden: true }))
  await userEvent.click(screen.getByRole('button', { name: 'Continue' }))
  expect(await screen.findByRole('checkbox', { name: /PostgreSQL/ })).toBeChecked()
  await userEvent.click(screen.getByRole('button', { name: 'Review' }))
  expect(await screen.findByText('The owner exists')).toBeInTheDocument()
  expect(screen.getByText('# Orders')).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Create' }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/runs/run-1'), find)
  const task = calls.find((c) => c.path === '/api/scaffolder/v2/tasks')
  expect(task?.body).toEqual({
    templateRef: 'template:default/python-service',
    values: { name: 'orders', owner: 'group:default/checkout', database: true },
    planHash: plan.hash,
    wizardId: expect.any(String) as string,
  })
  expect(task?.headers.get('x-csrf-token')).toBe('csrf-value')
}, 40_000)

it('does not offer Create while a name is taken', async () => {
  const taken = { ...plan, names: [{ name: 'orders', kind: 'repository', taken: true }] }
  start('/create/default/python-service', {
    'POST /api/scaffolder/v1/plans': taken,
    'GET /api/scaffolder/v2/templates/default/template/python-service/parameter-schema': {
      title: 'T',
      steps: [{ title: 'One', schema: { properties: {} } }],
    },
  })
  await userEvent.click(await screen.findByRole('button', { name: 'Review' }, find))
  expect(await screen.findByText('taken: choose another name')).toBeInTheDocument()
  expect(screen.getByRole('button', { name: 'Create' })).toBeDisabled()
})

it('lists what waits for my decision above the runs', async () => {
  const asked = {
    run_id: 'run-1',
    title: 'Python service: orders',
    step: 'Publish',
    message: 'Publish orders?',
    created_by: 'user:default/dana',
    owner: null,
    approvers: [],
    since_at: null,
    told: [{ stage: 'requested', at: 1, mails: 1, sent: 0, error: 'the mail server does not answer' }],
  }
  start('/runs', { 'GET /api/runs/v1/approvals': { items: [asked], by_mail: false } })
  const link = await screen.findByRole('link', { name: 'Publish orders?' }, find)
  expect(link).toHaveAttribute('href', '/runs/run-1')
  expect(screen.getByText(/no mail server is set/)).toBeInTheDocument()
  expect(screen.getByRole('status')).toHaveTextContent('A mail was not sent: the mail server does not answer')
})

it('says that older runs may wait where none of the newest does', async () => {
  start('/runs', { 'GET /api/runs/v1/approvals': { items: [], by_mail: true, next_cursor: 'c' } })
  expect(await screen.findByText(/None of the newest runs/, {}, find)).toHaveTextContent('taxiway runs approvals lists all')
  expect(screen.queryByRole('table', { name: 'Approvals' })).toBeNull()
})

it('shows a failed run at its failed step with what the server allows, and retries it', async () => {
  start('/runs/run-1', {
    'GET /api/runs/v1/runs/run-1': run,
    'GET /api/runs/v1/runs/run-1/logs': {
      items: [{ seq: 1, step_id: 'deploy', at: run.created_at, stream: 'stderr', text: 'pipeline is red' }],
    },
    'POST /api/runs/v1/runs/run-1/retry': {},
  })
  expect(await screen.findByText(/the pipeline of orders failed/, {}, find)).toBeInTheDocument()
  expect(screen.getByRole('button', { current: 'step' })).toHaveTextContent('Deploy')
  expect(await screen.findByText('1 line')).toBeInTheDocument() // the lines themselves are drawn by size, which jsdom does not have
  expect(screen.getByRole('log', { name: 'Output of Deploy' })).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'Cancel run' })).not.toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Retry from the failed step' }))
  await waitFor(() => expect(calls.some((c) => c.path.endsWith('/retry') && c.method === 'POST')).toBe(true))
})

it('undoes what others changed since only when each of it is confirmed by name', async () => {
  const reason = 'the repository has 2 commits made since'
  start('/runs/run-1', {
    'GET /api/runs/v1/runs/run-1': run,
    'GET /api/runs/v1/runs/run-1/logs': { items: [], next_cursor: null },
    'GET /api/runs/v1/runs/run-1/undo': { removes: [], changed: [{ name: 'orders', reason }] },
    'POST /api/runs/v1/runs/run-1/undo': {},
  })
  await userEvent.click(await screen.findByRole('button', { name: 'Undo' }, find))
  const dialog = within(await screen.findByRole('dialog'))
  const box = await dialog.findByRole('checkbox', { name: 'orders' }, find)
  expect(dialog.getByText(reason)).toBeInTheDocument()
  expect(dialog.getByRole('button', { name: 'Undo' })).toBeDisabled()
  await userEvent.click(box)
  await userEvent.click(dialog.getByRole('button', { name: 'Undo' }))
  await waitFor(() => expect(calls.find((c) => c.method === 'POST')?.body).toEqual({ confirm: ['orders'] }))
})

it('offers promotion only where another release is healthy before it, and deploys that release', async () => {
  const { router } = start('/environments', {
    'GET /api/environments/v1/releases': { items: [{ id: 'r2', service_ref: matrix.services[0]?.ref, commit: 'c0ffee00aa', version: '0.2.0', created_at: 2 }, { id: 'r1', service_ref: matrix.services[0]?.ref, commit: 'badc0de0aa', version: '0.1.0', created_at: 1 }], next_cursor: null }, // prettier-ignore
    'POST /api/environments/v1/deployments': { run_id: 'run-1' },
    'GET /api/runs/v1/runs/run-1': run,
    'GET /api/runs/v1/runs/run-1/logs': { items: [], next_cursor: null },
  })
  const row = (await screen.findByRole('rowheader', { name: /Orders/ }, find)).closest('tr') as HTMLElement
  const promote = within(row).getAllByRole('button', { name: /^Promote/ })
  expect(promote.map((b) => b.getAttribute('aria-label'))).toEqual([
    'Promote Orders 0.2.0 to staging',
    'Promote Orders 0.1.0 to production',
  ])
  await userEvent.click(promote[0] as HTMLElement)
  await userEvent.click(await screen.findByRole('button', { name: 'Promote 0.2.0' }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/runs/run-1'), find)
  expect(calls.find((c) => c.method === 'POST')?.body).toEqual({
    service_ref: 'component:default/orders',
    environment: 'staging',
    release_id: 'r2',
  })
})

it('draws a card of a plugin from data, on the kinds it names', async () => {
  const card = {
    key: 'c',
    columns: [],
    kinds: ['component'],
    title: 'Weather',
    display: 'facts',
    operation: '/api/plugins/v1/weather/now?ref={ref}',
  }
  start('/catalog/component/default/orders', {
    'GET /api/plugins/v1/portal': { cards: [card], pages: [{ key: 'weather', title: 'Weather', navigation: true, cards: [] }] },
    'GET /api/plugins/v1/weather/now': { temperature: 21 },
    'GET /api/catalog/v1/graph/component/default/orders': { nodes: [], edges: [] },
  })
  expect(await screen.findByText('temperature', {}, find)).toBeInTheDocument()
  expect(calls.find((c) => c.path.endsWith('/weather/now'))?.url.searchParams.get('ref')).toBe('component:default/orders')
  expect(screen.getByRole('link', { name: 'Weather' })).toHaveAttribute('href', '/x/weather')
})

it('leads from the former sources of the settings to those of the catalog', async () => {
  const { router } = start('/settings/sources', { 'GET /api/catalog/v1/sources': { items: [], next_cursor: null } })
  expect(await screen.findByText('No sources', {}, find)).toBeInTheDocument()
  expect(router.state.location.pathname).toBe('/catalog/sources')
})

it('says of a section that settings do not have that there is no such page', async () => {
  start('/settings/nothing')
  expect(await screen.findByText('There is no such page', {}, find)).toBeInTheDocument()
})

it('does not hide that approvals and computed properties could not be read', async () => {
  const down = new Refused(503, { detail: 'the store does not answer', code: 'unavailable', request_id: 'r-8' })
  const { router } = start('/runs', {
    'GET /api/runs/v1/approvals': down,
    'GET /api/catalog/v1/properties/component/default/orders': down,
  })
  expect(await screen.findByText('Waiting for your decision', {}, find)).toBeInTheDocument()
  expect(screen.getByText(/The store does not answer\./)).toBeInTheDocument()
  await router.navigate({
    to: '/catalog/$kind/$namespace/$name',
    params: { kind: 'component', namespace: 'default', name: 'orders' },
  })
  expect(await screen.findByText('Computed', {}, find)).toBeInTheDocument()
  expect(await screen.findByText(/The store does not answer\./, {}, find)).toBeInTheDocument()
})

it('draws a declared kind with the icon that it names', async () => {
  const name = { name: 'north', namespace: 'default' }
  start('/catalog/warehouse/default/north', {
    'GET /api/catalog/v1/kinds': {
      items: [{ name: 'Warehouse', plural: 'Warehouses', icon: 'server', columns: [], more_columns: [], relations: [] }],
    },
    'GET /api/catalog/entities/by-name/warehouse/default/north': {
      apiVersion: 'example.com/v1',
      kind: 'Warehouse',
      metadata: name,
    },
  })
  const head = (await screen.findByRole('heading', { name: 'north' }, find)).closest('header')
  await waitFor(() => expect(head?.querySelector('.lucide-server')).toBeInTheDocument(), find)
})

it('says that no entity matches where one is picked', async () => {
  start('/catalog/graph', { 'GET /api/catalog/entities/by-query': { items: [], totalItems: 0, pageInfo: {} } })
  await userEvent.type(await screen.findByRole('textbox', { name: 'Another entity' }, find), 'nobody')
  expect(await screen.findByText('Nothing matches', {}, find)).toBeInTheDocument()
})
