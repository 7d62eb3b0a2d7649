/** The long way: form, run, pipeline, release, a process that answers. Nothing of it is canned. */
import { expect, fillFirstStep, STATE, test } from './support'

test.use({ storageState: STATE })

test('from the form to a service that answers', async ({ page }) => {
  test.setTimeout(150_000)
  const { items } = (await (await page.request.get('/api/plugins/v1/plugins')).json()) as {
    items: { name: string; state: string }[]
  }
  test.skip(!items.some((p) => p.name === 'process' && p.state === 'loaded'), 'the destination `process` is not loaded here')
  await page.goto('/create/default/python-service')
  await fillFirstStep(page, 'parcels', 'Follows parcels until they are delivered')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('button', { name: 'Review', exact: true }).click()
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  await expect(page).toHaveURL(/\/runs\//)
  await expect(page.getByRole('status').filter({ hasText: 'succeeded' })).toBeVisible({ timeout: 120_000 })
  await page.getByRole('button', { name: /Write the files/ }).click()
  await expect(page.getByRole('log', { name: 'Output of Write the files' })).toContainText('Wrote')
  await page.getByText(/^Plan, /).click()
  await expect(page.getByRole('list', { name: 'Files' })).toContainText('score.yaml')

  await page.goto('/catalog/component/default/parcels')
  const live = page.getByRole('link', { name: 'Open', exact: true })
  await expect(live).toBeVisible()
  const address = (await live.getAttribute('href')) as string
  await page.goto(`${address}/healthz`)
  await expect(page.locator('body')).toContainText('ok')

  await page.goto('/environments')
  const row = page.getByRole('row', { name: /parcels/ })
  await row.getByRole('button', { name: /^Promote parcels/ }).click()
  await expect(page.getByRole('dialog', { name: /Promote parcels to staging/ })).toBeVisible()
})
