/** The way of a proposed change through the portal: found in the list, read, commented, merged. */
import type { Page } from '@playwright/test'
import { expect, scan, settled, STATE, test } from './support'

/** A repository without workflows; what is merged goes into another branch than the one that is deployed. */
const REPOSITORY = process.env.TAXIWAY_REPOSITORY ?? 'env-development'
const NOW = Date.now()

test.use({ storageState: STATE })
test.describe.configure({ timeout: 90_000 })

/** One file more, on a branch of its own; the number of its pull request. */
async function propose(page: Page, head: string, base?: string): Promise<number> {
  const csrf = (await page.context().cookies()).find((c) => c.name === 'taxiway_csrf')?.value ?? ''
  const files = [{ path: `docs/${head}.md`, content: '# Notes\n\nThe first one.\n' }]
  const data = { repository: REPOSITORY, head, base, title: `Write ${head} down`, body: 'So that **nobody** forgets.', files }
  const answer = await page.request.post('/api/pulls/v1/proposals', { data, headers: { 'x-csrf-token': csrf } })
  expect(answer.ok(), await answer.text()).toBe(true)
  return ((await answer.json()) as { number: number }).number
}

test('a proposed change is found, read, commented and merged', async ({ page }) => {
  await page.goto('/pulls')
  const [base, head] = [`plans-${NOW}`, `notes-${NOW}`]
  await propose(page, base)
  const number = await propose(page, head, base)
  await page.goto(`/pulls?repository=${REPOSITORY}`)
  await settled(page)
  expect(await scan(page), 'the list').toEqual([])
  const row = page.getByRole('row', { name: new RegExp(`${REPOSITORY}#${number}\\b`) })
  await row.getByRole('link', { name: `Write ${head} down` }).click()
  await expect(page.getByRole('heading', { level: 1 })).toContainText(`${REPOSITORY}#${number}`)
  await expect(page.getByText('nobody', { exact: true })).toBeVisible()
  await page.getByLabel('Comment').fill('Good idea.')
  await page.getByRole('button', { name: 'Comment' }).click()
  await expect(page.getByText('Good idea.').first()).toBeVisible()
  expect(await scan(page), 'the conversation').toEqual([])
  await page.getByRole('tab', { name: 'Files' }).click()
  await expect(page.getByRole('region', { name: `Changes of docs/${head}.md` })).toContainText('The first one.')
  await page.getByText('Comment on a line').click()
  await page.getByLabel('Line').fill('3')
  await page.getByLabel('Comment').fill('Which one?')
  await page.getByRole('button', { name: `Comment on ${head}.md` }).click()
  await expect(page.getByRole('region', { name: `Changes of docs/${head}.md` })).toContainText('Which one?')
  expect(await scan(page), 'the files').toEqual([])
  await page.getByRole('tab', { name: /Commits/ }).click()
  await expect(page.getByRole('listitem').filter({ hasText: `Write ${head} down` })).toBeVisible()
  await page.getByRole('tab', { name: 'Conversation' }).click()
  await page.getByRole('button', { name: `Merge into ${base}` }).click()
  await expect(page.getByRole('heading', { name: 'It is merged' })).toBeVisible()
  const found = (await (await page.request.get(`/api/pulls/v1/pulls/${REPOSITORY}/${number}`)).json()) as { state: string }
  expect(found.state).toBe('merged')
})
