import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'
import { type Answers, calls, find, Refused, serve, start } from '~/test/app'
import { base } from '~/test/fixtures'

it('sends nobody to the sign-in page and back to where they wanted to go', async () => {
  const answers: Answers = {
    'GET /api/access/v1/me': new Refused(401, { detail: 'sign in first', code: 'authentication' }),
    'POST /api/access/v1/sessions': {},
  }
  const { router } = start('/runs?state=failed', answers)
  await userEvent.type(await screen.findByLabelText(/User name/, {}, find), 'dana')
  await userEvent.type(screen.getByLabelText(/Password/, { selector: 'input' }), 'secret')
  serve({ ...base, 'POST /api/access/v1/sessions': {} })
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
  await waitFor(() => expect(router.state.location.href).toContain('/runs?state=failed'), find)
  expect(calls.find((c) => c.method === 'POST')?.body).toEqual({ username: 'dana', password: 'secret' })
})

it('offers the providers that one may sign in by, and says why one refused', async () => {
  document.cookie = 'taxiway_refused="the%20token%20is%20too%20old%3A%20sign%20in%20again"'
  start('/sign-in?next=%2Fruns', {
    'GET /api/access/v1/ways': { items: [{ name: 'corp', title: 'Acme', url: '/api/access/v1/oidc/corp/start' }] },
  })
  const way = await screen.findByRole('link', { name: 'Sign in with Acme' }, find)
  expect(way).toHaveAttribute('href', '/api/access/v1/oidc/corp/start?next=%2Fruns')
  expect(screen.getByRole('alert')).toHaveTextContent('The token is too old: sign in again.')
  document.cookie = 'taxiway_refused=; max-age=0'
})

it('exchanges a one-time link by POST and takes its token out of the address', async () => {
  window.location.hash = 'link_token=once'
  const { router } = start('/sign-in', { 'POST /api/access/v1/sessions': {} })
  await waitFor(() => expect(router.state.location.pathname).toBe('/'), find)
  expect(calls.filter((c) => c.method === 'POST').map((c) => c.body)).toEqual([{ link_token: 'once' }])
  expect(window.location.hash).toBe('')
})

it('tells why a one-time link was refused and offers the password', async () => {
  window.location.hash = 'link_token=old'
  start('/sign-in', {
    'POST /api/access/v1/sessions': new Refused(401, { detail: 'the link was used: make a new one', code: 'authentication' }),
  })
  expect(await screen.findByText(/The link was used: make a new one\./, {}, find)).toBeInTheDocument()
  expect(screen.getByLabelText(/User name/)).toBeInTheDocument()
  expect(window.location.href).not.toContain('token')
})

it('signs out and shows the page for signing in', async () => {
  const { router } = start('/catalog', { 'POST /api/access/v1/sessions/current/end': { url: null } })
  await userEvent.click(await screen.findByRole('button', { name: 'Account' }, find))
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Sign out' }, find))
  await waitFor(() => expect(router.state.location.pathname).toBe('/sign-in'), find)
})
