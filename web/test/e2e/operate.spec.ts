/** Everything that changes what runs, clicked through: what the dialog says before, and what the API says after. */
import type { Page } from '@playwright/test'
import { expect, settled, STATE, test } from './support'

const SERVICE = process.env.TAXIWAY_SERVICE ?? 'tiny-box' // has two releases in development
const REF = `component:default/${SERVICE}`
const ENVIRONMENTS = '/api/environments/v1'
type Cell = { release_id: string; version: string; state: string; url: string }
type Deployment = { release_id: string; version: string; state: string; action: string }
type Run = { id: string; title: string; state: string; actions: string[]; error: string | null }

test.use({ storageState: STATE })
test.describe.configure({ timeout: 90_000 })

async function get<T>(page: Page, path: string): Promise<T> {
  const answer = await page.request.get(path)
  expect(answer.ok(), `${path}: ${answer.status()}`).toBe(true)
  return (await answer.json()) as T
}
const cellsOf = async (page: Page) => {
  const { services } = await get<{ services: { ref: string; cells: Record<string, Cell | undefined> }[] }>(
    page,
    `${ENVIRONMENTS}/matrix`,
  )
  return services.find((x) => x.ref === REF)?.cells ?? {}
}
const runOf = (page: Page, id: string) => get<Run>(page, `/api/runs/v1/runs/${id}`)
const runs = async (page: Page, query: string) => (await get<{ items: Run[] }>(page, `/api/runs/v1/runs?${query}`)).items

/** The run that the page shows, when it has reached `state` on screen and in the API. */
async function ends(page: Page, state: string) {
  await expect(page).toHaveURL(/\/runs\/[0-9a-f-]+/)
  await expect(page.getByRole('status').filter({ hasText: state })).toBeVisible({ timeout: 45_000 })
  const id = /runs\/([0-9a-f-]+)/.exec(page.url())?.[1] ?? ''
  const run = await runOf(page, id)
  expect(run.state).toBe(state)
  return run
}
const menuOf = async (page: Page, environment: string, item: RegExp) => {
  await page.getByRole('button', { name: `More for ${SERVICE} in ${environment}` }).click()
  await page.getByRole('menuitem', { name: item }).click()
}

test('promoting says what is there now and what comes, and brings the release', async ({ page }) => {
  const before = await cellsOf(page)
  const version = before.development?.version ?? ''
  expect(before.staging).toBeUndefined()
  await page.goto('/environments')
  await page.getByRole('button', { name: `Promote ${SERVICE} ${version} to staging` }).click()
  const dialog = page.getByRole('dialog', { name: `Promote ${SERVICE} to staging` })
  await expect(dialog).toContainText(/now in staging\s*nothing/)
  await expect(dialog.getByRole('radio', { name: `Release ${version}` })).toBeChecked()
  await dialog.getByRole('button', { name: `Promote ${version}` }).click()
  await ends(page, 'succeeded')
  const after = await cellsOf(page)
  expect(after.staging).toMatchObject({ release_id: before.development?.release_id, state: 'live' })
})

test('rolling back names both releases, and brings the older one back', async ({ page }) => {
  const query = `${ENVIRONMENTS}/deployments?service=${REF}&environment=development`
  const { items } = await get<{ items: Deployment[] }>(page, query)
  const [now, older] = [items[0], items.find((x) => x.release_id !== items[0]?.release_id)]
  await page.goto('/environments')
  await menuOf(page, 'development', /Roll back/)
  const dialog = page.getByRole('dialog', { name: `Roll back ${SERVICE} in development` })
  await expect(dialog).toContainText(`Now live: ${now?.version}`)
  await expect(dialog).toContainText('Its database stays as it is')
  await dialog.getByRole('button', { name: `Roll back to ${older?.version}` }).click()
  await ends(page, 'succeeded')
  expect((await cellsOf(page)).development).toMatchObject({ release_id: older?.release_id, state: 'live' })
  const { items: events } = await get<{ items: unknown[] }>(page, '/api/events/v1/events?type=dev.cdevents.service.rolledback')
  expect(events).toHaveLength(1)
})

test('removing from an environment asks for the name, and leaves the others', async ({ page }) => {
  await page.goto('/environments')
  await menuOf(page, 'staging', /Remove from staging/)
  const dialog = page.getByRole('dialog', { name: `Remove ${SERVICE} from staging` })
  await expect(dialog).toContainText('its databases there are deleted with all data')
  const remove = dialog.getByRole('button', { name: 'Remove it' })
  await dialog.getByLabel(`Type ${SERVICE} to confirm`).fill('tiny')
  await expect(remove).toBeDisabled()
  await dialog.getByLabel(`Type ${SERVICE} to confirm`).fill(SERVICE)
  await remove.click()
  await ends(page, 'succeeded')
  const after = await cellsOf(page)
  expect(after.staging).toBeUndefined()
  expect(after.development?.state).toBe('live')
})

test('cancelling can be thought over, ends the run, and what it made is undone by name', async ({ page }) => {
  const slow = (await runs(page, 'kind=scaffold&limit=20')).find((r) => r.title.includes('tiny-slow'))
  expect(['running', 'waiting']).toContain(slow?.state)
  await page.goto(`/runs/${slow?.id}`)
  await page.getByRole('button', { name: 'Cancel run' }).click()
  const cancel = page.getByRole('dialog', { name: /^Cancel “.*tiny-slow”\?$/ })
  await expect(cancel).toContainText(/repository tiny-slow/)
  await cancel.getByRole('button', { name: 'Let it run' }).click()
  await expect(cancel).toBeHidden()
  expect((await runOf(page, slow?.id ?? '')).state).toBe(slow?.state)
  await page.getByRole('button', { name: 'Cancel run' }).click()
  await cancel.getByRole('button', { name: 'Cancel run' }).click()
  await ends(page, 'cancelled')
  await page.getByRole('button', { name: 'Undo', exact: true }).click()
  const undo = page.getByRole('dialog', { name: /^Undo “.*tiny-slow”\?$/ })
  await expect(undo.getByRole('list', { name: 'What is removed' })).toContainText('tiny-slow')
  await undo.getByRole('button', { name: 'Undo', exact: true }).click()
  await ends(page, 'undone')
  const { items } = await get<{ items: { name: string }[] }>(page, '/api/delivery/v1/repositories?limit=200')
  expect(items.map((x) => x.name)).not.toContain('tiny-slow')
  const builds = async () => (await runs(page, 'kind=pipeline&limit=20')).filter((r) => r.title.includes('tiny-slow'))
  await expect.poll(async () => (await builds()).map((r) => r.state)).toEqual(['cancelled']) // its repository is gone
})

test('an undo that would destroy what others made asks for it by name, and keeps it', async ({ page }) => {
  const made = (await runs(page, 'kind=scaffold&limit=20')).find((r) => r.title.includes('tiny-red'))
  await page.goto(`/runs/${made?.id}`)
  await expect(page.getByRole('alert')).toContainText('the tests are red')
  await page.getByRole('button', { name: 'Undo', exact: true }).click()
  const undo = page.getByRole('dialog')
  await expect(undo.getByRole('checkbox', { name: 'tiny-red' })).not.toBeChecked({ timeout: 30_000 })
  await expect(undo).toContainText(/made since/)
  await expect(undo.getByRole('button', { name: 'Undo', exact: true })).toBeDisabled()
  await settled(page)
  await undo.getByRole('button', { name: 'Keep it' }).click()
  expect((await runOf(page, made?.id ?? '')).state, 'nothing was taken back').toBe(made?.state)
  const { items } = await get<{ items: { name: string }[] }>(page, '/api/delivery/v1/repositories?limit=200')
  expect(items.map((x) => x.name)).toContain('tiny-red')
})

test('a failed run says why, is tried again, and goes on when somebody else approves', async ({ page }) => {
  const [first, second] = (await runs(page, 'kind=scaffold&state=failed&limit=20')).filter((r) => r.title === 'Ask the desk')
  for (const [run, decision, end] of [[first, 'Approve', 'succeeded'], [second, 'Reject', 'failed']] as const) {
    await page.goto(`/runs/${run?.id}`)
    await expect(page.getByRole('alert')).toContainText('the desk is closed: call again')
    await page.getByRole('button', { name: 'Retry from the failed step' }).click()
    const approval = page.getByRole('region', { name: 'Approval' })
    await expect(approval).toBeVisible({ timeout: 20_000 })
    await expect(approval).toContainText('Wait for a signature')
    await approval.getByLabel('Comment').fill(`${decision} by the browser`)
    await approval.getByRole('button', { name: decision }).click()
    await ends(page, end)
  } // prettier-ignore
  await expect(page.getByRole('alert').filter({ hasText: 'It failed' })).toContainText('Reject by the browser')
})

test.describe('as a viewer', () => {
  const Authorization = `Bearer ${process.env.TAXIWAY_VIEWER_TOKEN}`
  test.use({ refusals: true, storageState: { cookies: [], origins: [] }, extraHTTPHeaders: { Authorization } })
  test('a refused deployment names the permission and who grants it', async ({ page }) => {
    await page.goto(`/environments?deploy=${REF}@staging`)
    const dialog = page.getByRole('dialog', { name: /to staging/ })
    await dialog.getByRole('button', { name: /^(Promote|Deploy) / }).click()
    await expect(dialog.getByRole('alert')).toContainText('environments.deploy')
    await expect(dialog.getByRole('alert')).toContainText('ask an administrator for a role that grants it')
    expect((await cellsOf(page)).staging).toBeUndefined()
  })
})

test('deleting a service takes everything of it, and only after its name was typed', async ({ page }) => {
  const { url } = (await cellsOf(page)).development as Cell
  await page.goto(`/catalog/component/default/${SERVICE}`)
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Delete the service' }).click()
  const dialog = page.getByRole('dialog', { name: `Delete ${SERVICE}` })
  await expect(dialog).toContainText('Its repository, its releases and its catalog entities go too')
  await expect(dialog.getByRole('button', { name: 'Delete everything' })).toBeDisabled()
  await dialog.getByLabel(`Type ${SERVICE} to confirm`).fill(SERVICE)
  await dialog.getByRole('button', { name: 'Delete everything' }).click()
  await ends(page, 'succeeded')
  expect((await page.request.get(`/api/catalog/entities/by-name/component/default/${SERVICE}`)).status()).toBe(404)
  expect(Object.values(await cellsOf(page)).filter(Boolean)).toEqual([])
  const { items } = await get<{ items: { state: string }[] }>(page, `${ENVIRONMENTS}/resources?service=${REF}`)
  expect(items.filter((x) => x.state !== 'deleted')).toEqual([])
  const answers = await page.request.get(`${url}/readyz`, { failOnStatusCode: false }).then((r) => r.status()).catch(() => 0) // prettier-ignore
  expect(answers).not.toBe(200)
})
