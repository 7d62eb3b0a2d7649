import { expect, fillFirstStep, settled, STATE, test } from './support'

test.use({ storageState: STATE })

test('the filter of the catalog survives a reload', async ({ page }) => {
  await page.goto('/catalog')
  await page.getByRole('button', { name: /^Components/ }).click()
  await page.getByRole('button', { name: 'Filter by Owner' }).click()
  await page.getByRole('checkbox', { name: /payments/ }).check()
  await page.keyboard.press('Escape')
  await page.getByLabel('Filter entities').fill('ledger')
  const rows = page.getByRole('grid', { name: 'Entities' }).getByRole('row')
  await expect(rows).toHaveCount(2)
  await page.reload()
  await expect(page.getByLabel('Filter entities')).toHaveValue('ledger')
  await expect(page.getByRole('button', { name: /^Components/ })).toHaveAttribute('aria-pressed', 'true')
  await expect(rows).toHaveCount(2)
  await expect(rows.getByRole('link', { name: 'ledger' })).toBeVisible()

  await test.step('it becomes a view by keyboard, which a short link opens again', async () => {
    await page.getByRole('button', { name: 'Choose columns' }).click()
    await page.getByRole('checkbox', { name: 'Namespace' }).check()
    await page.keyboard.press('Escape')
    await page.getByRole('columnheader', { name: 'Namespace' }).getByRole('button').click()
    await expect(page).toHaveURL(/sort=metadata.namespace/)
    await page.getByRole('grid', { name: 'Entities' }).focus()
    await page.keyboard.press('v')
    await page.getByRole('menuitem', { name: 'Save as a new view…' }).press('Enter')
    await page.getByLabel(/^Title/).fill('Ledger of Payments')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('button', { name: 'View: Ledger of Payments' })).toBeVisible()
    await page.goto('/catalog?view=ledger-of-payments')
    await expect(page).toHaveURL(/kind=component.*sort=metadata.namespace/)
    await expect(rows).toHaveCount(2)
    await expect(page.getByRole('columnheader', { name: 'Namespace' })).toHaveAttribute('aria-sort', 'ascending')
    await page.keyboard.press('v')
    await page.getByRole('menuitem', { name: 'Remove the view…' }).press('Enter')
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    await expect(page.getByRole('button', { name: 'Views', exact: true })).toBeVisible()
    await expect(page).toHaveURL(/\/catalog\?view=none$/)
  })
})

test('the palette opens an entity from the keyboard', async ({ page }) => {
  await page.goto('/')
  await settled(page)
  await page.keyboard.press('ControlOrMeta+k')
  await page.getByLabel('Find a service or a command').fill('ledger')
  await expect(page.getByRole('button', { name: /ledger.*component/ })).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/catalog\/\w+\/default\/ledger/)
})

test('the wizard previews files and checks, and its answers survive a reload', async ({ page }) => {
  await page.goto('/create')
  await page.getByRole('link', { name: /Python service/ }).click()
  const questions = page.locator('form label')
  await expect(questions.first()).toBeVisible()
  const asked = (await questions.allInnerTexts()).map((x) => x.replace(/\s*\*$/, ''))
  expect(asked.slice(0, 3)).toEqual(['Name', 'Owner', 'Description']) // as the author wrote them
  await page.getByRole('button', { name: 'Continue' }).click()
  await expect(page.getByText('Fill this in').first()).toBeVisible()
  await fillFirstStep(page, 'parcel-labels', 'Prints labels of parcels')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('button', { name: 'Review', exact: true }).click()
  await expect(page.getByRole('list', { name: 'Files' }).getByRole('button', { name: /score\.yaml/ })).toBeVisible()
  await page.getByRole('button', { name: /score\.yaml/ }).click()
  await expect(page.getByLabel('score.yaml')).toContainText('apiVersion: score.dev')
  await expect(page.getByText('not checked').first()).toBeVisible()
  await expect(page.getByText('free').first()).toBeVisible()
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Review' })).toBeVisible()
  await expect(page.getByRole('list', { name: 'Files' })).toBeVisible()
  await page.getByRole('button', { name: /What is it/ }).click()
  await expect(page.getByLabel(/^Name/)).toHaveValue('parcel-labels')
})

for (const [path, heading] of [
  ['/catalog/component/default/cart?tab=definition', 'cart'],
  ['/catalog/problems?code=conflict', 'Problems'],
  ['/create/default/python-service', 'Python service'],
  ['/environments?q=cart', 'Environments'],
  ['/runs?state=failed', 'Runs'],
  ['/settings/audit?type=dev.taxiway', 'Settings'],
] as const)
  test(`${path} survives a reload`, async ({ page }) => {
    await page.goto(path)
    await settled(page)
    const before = page.url()
    await page.reload()
    await settled(page)
    expect(page.url()).toBe(before)
    await expect(page.getByRole('heading', { level: 1, name: heading })).toBeAttached()
  })

test.describe('as a viewer', () => {
  test.use({
    refusals: true,
    storageState: { cookies: [], origins: [] },
    extraHTTPHeaders: { Authorization: `Bearer ${process.env.TAXIWAY_VIEWER_TOKEN}` },
  })
  test('what is denied names the permission', async ({ page }) => {
    await page.goto('/settings/config')
    await expect(page.getByText('You may not see this')).toBeVisible()
    await expect(page.getByText('system.config', { exact: true })).toBeVisible()
  })
})

test.describe('what does not exist', () => {
  test.use({ refusals: true })
  test('an unknown entity and an unknown page say so', async ({ page }) => {
    await page.goto('/catalog/component/default/nope')
    await expect(page.getByText('Nothing is here')).toBeVisible()
    await page.goto('/no/such/page')
    await expect(page.getByText('There is no such page')).toBeVisible()
  })
})
