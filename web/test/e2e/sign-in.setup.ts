/** Signs in with the one-time link, and keeps the session for the other specs. */
import { expect, STATE, test } from './support'

test('the one-time link signs in and leaves the address', async ({ page, context }) => {
  const link = process.env.TAXIWAY_LINK
  expect(link, 'TAXIWAY_LINK: the sign-in link that the first start prints').toBeTruthy()
  await page.goto(link as string)
  await expect(page.getByRole('heading', { name: /^Good / })).toBeVisible()
  expect(page.url()).not.toContain('link_token')
  await page.goBack().catch(() => undefined)
  expect(page.url()).not.toContain('link_token')
  await context.storageState({ path: STATE })
})
