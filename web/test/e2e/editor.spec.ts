import { expect, scan, settled, STATE, test } from './support'

test.use({ storageState: STATE })

/** One that is there already; the pull request only adds a folder to it. */
const REPOSITORY = process.env.TAXIWAY_REPOSITORY ?? 'env-development'

test('a golden path is changed and tried without anything being written, then proposed', async ({ page }) => {
  await page.goto('/create/editor')
  await page.getByRole('link', { name: 'New from it: Restart', exact: true }).click()
  await settled(page)
  const text = page.getByRole('textbox', { name: 'Text of template.yaml' })
  await expect(text).toContainText('name: my-restart-service')
  await expect(page.getByRole('button', { name: 'Propose' })).toBeEnabled()
  const asked: string[] = []
  page.on('request', (r) => r.url().endsWith('/scaffolder/v1/lint') && asked.push(r.url()))
  await text.press('ControlOrMeta+End')
  await page.keyboard.type('    text: [{title: Done, content: "${{ parameters.entty }}"}]')
  const problem = page.getByRole('list', { name: 'Problems' }).getByRole('button').first()
  await expect(problem).toHaveText(/^template\.yaml:\d+$/)
  expect(asked.length).toBeLessThan(4) // pauses ask, keys do not
  await problem.press('Enter')
  await expect(text).toBeFocused()
  await page.keyboard.press('ControlOrMeta+Enter')
  await expect(page.getByText('Some answers are missing')).toBeVisible()
  await expect(page.getByRole('button', { name: 'To the form' })).toBeVisible()
  expect(await scan(page)).toEqual([])
  await page.goBack()
  await page.getByRole('dialog', { name: 'Leave without your changes?' }).getByRole('button', { name: 'Stay' }).click()
  await expect(text).toContainText('parameters.entty')
  await page.getByRole('button', { name: 'Propose' }).click()
  const dialog = page.getByRole('dialog', { name: 'Propose a new golden path' })
  await expect(dialog.getByRole('alert')).toContainText('correct')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await text.press('ControlOrMeta+End')
  await page.keyboard.press('Shift+Home')
  await page.keyboard.press('Delete')
  await page.getByRole('button', { name: 'Propose' }).click()
  await dialog.getByRole('combobox', { name: 'Repository' }).fill(REPOSITORY)
  await page.getByRole('option', { name: REPOSITORY, exact: true }).click()
  await dialog.getByRole('button', { name: 'Open a pull request' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Add the golden path my-restart-service')
  await expect(page).toHaveURL(new RegExp(`/pulls/${REPOSITORY}/\\d+$`))
})
