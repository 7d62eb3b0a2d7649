import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'
import { calls, find, renderAt, serve } from '~/test/app'
import { base } from '~/test/fixtures'

const BASE = '/api/catalog/v1/onboarding'
const row = (name: string, owner: string | null) => ({
  source: 'git_local',
  name,
  status: 'missing',
  owner: null,
  url: `https://host/${name}.git`,
  pull: null,
  looked_at: 1_700_000_000_000_000,
  proposal: {
    text: `kind: Component\nmetadata:\n  name: ${name}\n`,
    kind: 'Component',
    name,
    type: 'service',
    owner,
    system: null,
    apis: [],
    reasons: { owner: owner ? 'CODEOWNERS' : 'nobody could be found: name one', type: 'Dockerfile' },
    is_taken: false,
    is_ready: owner !== null,
  },
})

it('opens pull requests for what is chosen, edited ones with their text', async () => {
  serve({
    ...base,
    [`GET ${BASE}/repositories`]: {
      items: [row('carts', 'group:default/checkout'), row('network', null)],
      next_cursor: null,
      counts: { missing: 2 },
      looked_at: 1_700_000_000_000_000,
    },
    [`POST ${BASE}/judge`]: { problems: [] },
    [`POST ${BASE}/pulls`]: { run_id: 'run-1' },
  })
  const { router } = renderAt('/catalog/onboard')
  const table = await screen.findByRole('table', { name: 'Repositories' }, find)
  expect(within(table).getByRole('checkbox', { name: 'Choose network' })).toBeDisabled()
  expect(within(table).getByText('nobody yet')).toBeInTheDocument()
  await userEvent.click(within(table).getByRole('checkbox', { name: 'Choose carts' }))
  await userEvent.click(within(table).getByRole('button', { name: 'Edit the descriptor of network' }))
  const text = await screen.findByRole('textbox', { name: 'The descriptor as YAML' }, find)
  await userEvent.type(text, 'spec: x')
  const take = screen.getByRole('button', { name: 'Take this one' })
  await waitFor(() => expect(take).toBeEnabled(), find)
  await userEvent.click(take)
  await userEvent.click(await screen.findByRole('button', { name: 'Open pull requests for 2' }, find))
  await waitFor(() => expect(router.state.location.pathname).toBe('/runs/run-1'), find)
  expect(calls.find((c) => c.path === `${BASE}/pulls`)?.body).toEqual({
    items: [
      { source: 'git_local', name: 'carts' },
      { source: 'git_local', name: 'network', text: 'kind: Component\nmetadata:\n  name: network\nspec: x' },
    ],
  })
})
