import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createMemoryHistory, RouterProvider } from '@tanstack/react-router'
import { render } from '@testing-library/react'
import { vi } from 'vitest'
import { makeRouter } from '~/routes'
import { cssVariablesResolver, theme } from '~/theme/theme'
import { base } from './fixtures'

type Answer = unknown | ((request: { url: URL; body: unknown; headers: Headers }) => unknown)
export type Answers = Record<string, Answer>
export type Call = { method: string; path: string; url: URL; body: unknown; headers: Headers }
export class Refused {
  constructor(
    readonly status: number,
    readonly body: unknown,
  ) {}
}

/** How long a page may take to come up. */
export const find = { timeout: 10_000 }
/** What was asked since answers were set. */
export let calls: Call[] = []

/** Answers requests by "METHOD /path"; a path may end in `*`. What is not listed is a 404 problem. */
export function serve(answers: Answers): Call[] {
  const asked: Call[] = []
  calls = asked
  const find = (key: string) =>
    answers[key] ?? Object.entries(answers).find(([k]) => k.endsWith('*') && key.startsWith(k.slice(0, -1)))?.[1]
  vi.stubGlobal('fetch', async (path: string, init: RequestInit = {}) => {
    const url = new URL(path, 'http://localhost')
    const method = init.method ?? 'GET'
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : undefined
    const headers = new Headers(init.headers)
    asked.push({ method, path: url.pathname, url, body, headers })
    const answer = find(`${method} ${url.pathname}`)
    const value = typeof answer === 'function' ? (answer as (r: object) => unknown)({ url, body, headers }) : answer
    const json = (data: unknown, status: number) =>
      new Response(JSON.stringify(data), { status, headers: { 'content-type': 'application/json', 'x-request-id': 'req-1' } })
    if (value instanceof Refused) return json(value.body, value.status)
    return value === undefined
      ? json({ detail: `nothing at ${url.pathname}`, code: 'not_found', request_id: 'req-1' }, 404)
      : json(value, 200)
  })
  return asked
}

/** The whole app at one URL: the unit under test is what a person sees there. */
export function renderAt(url: string) {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const router = makeRouter(queryClient)
  router.update({ ...router.options, history: createMemoryHistory({ initialEntries: [url] }) })
  const view = render(
    <MantineProvider theme={theme} cssVariablesResolver={cssVariablesResolver} env="test">
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  )
  return { router, queryClient, ...view }
}

/** The app at one URL with the answers that every page needs, and more. */
export function start(url: string, more: Answers = {}) {
  serve({ ...base, ...more })
  return renderAt(url)
}
