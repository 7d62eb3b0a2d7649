/** A fresh link from `taxiway login --link`, in a browser that was never signed in: it works once. */
import { expect, scan, test } from './support'

test.use({ refusals: true, storageState: { cookies: [], origins: [] } })

test('a fresh link signs in once, and the second time the page says how to get another', async ({ page, browser }) => {
  const link = process.env.TAXIWAY_FRESH_LINK
  expect(link, 'TAXIWAY_FRESH_LINK: what `taxiway login --link` prints').toBeTruthy()
  await page.goto(link as string)
  await expect(page.getByRole('heading', { name: /^Good / })).toBeVisible()

  const other = await (await browser.newContext()).newPage()
  await other.goto(link as string)
  await expect(other.getByRole('alert')).toContainText('taxiway login --link')
  await expect(other.getByRole('button', { name: 'Sign in' })).toBeVisible()
  expect(other.url()).not.toContain('link_token')
  expect(await scan(other)).toEqual([])
  await other.context().close()
})

test('a link that is too old is refused in the same words', async ({ page }) => {
  await page.goto(process.env.TAXIWAY_OLD_LINK as string)
  await expect(page.getByRole('alert')).toContainText('too old')
  await page.reload()
  await expect(page.getByRole('alert')).toHaveCount(0)
  await expect(page.getByLabel('User name')).toBeVisible()
})
