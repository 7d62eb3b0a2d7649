/** The portal without a mouse: tables, the graph of relations, and a focus that is always in sight. */
import type { Page } from '@playwright/test'
import { expect, settled, STATE, test } from './support'

test.use({ storageState: STATE, refusals: true }) // a link to what is gone is looked up when it gets the focus
const SERVICE = `/catalog/component/default/${process.env.TAXIWAY_SERVICE ?? 'tiny-box'}`

test('j and k move in a table, Enter opens', async ({ page }) => {
  await page.goto('/runs')
  await settled(page)
  const links = page.getByRole('table', { name: 'Runs' }).getByRole('rowheader').getByRole('link')
  await expect(links.nth(2)).toBeVisible()
  await page.keyboard.press('j')
  await expect(links.nth(0)).toBeFocused()
  await page.keyboard.press('j')
  await page.keyboard.press('ArrowDown')
  await expect(links.nth(2)).toBeFocused()
  await page.keyboard.press('k')
  await expect(links.nth(1)).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/runs\/[0-9a-f-]+/)

  await page.goto('/catalog?kind=component&q=ledger')
  await expect(page.getByRole('grid', { name: 'Entities' }).getByRole('row')).toHaveCount(2)
  await page.keyboard.press('j')
  await expect(page.getByRole('grid', { name: 'Entities' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/component\/default\/ledger/)
})

test('the arrows walk through the graph, relations can be hidden and read as a list', async ({ page }) => {
  await page.goto('/catalog/group/default/checkout')
  await settled(page)
  const graph = page.getByRole('group', { name: /^Graph of relations/ })
  await expect(graph.getByRole('link').first()).toBeVisible()
  expect(await graph.getByRole('link').count()).toBeGreaterThan(12)
  await graph.getByRole('link', { name: /^Checkout, group/ }).focus()
  await page.keyboard.press('ArrowLeft') // what the team owns stands on its left
  await expect(graph.getByRole('link', { name: /^Checkout, group/ })).not.toBeFocused()
  await page.keyboard.press('ArrowRight')
  await expect(graph.getByRole('link', { name: /^Checkout, group/ })).toBeFocused()
  await page.keyboard.press('ArrowRight')
  await expect(graph.getByRole('link', { name: /^Acme, group/ })).toBeFocused()
  await page.getByRole('button', { name: /^owned by/ }).click()
  await expect(graph.getByRole('link', { name: /^cart, component/ })).toHaveCount(0)
  await page.getByRole('button', { name: /^owned by/ }).click()
  await page.getByText('List', { exact: true }).click()
  await expect(page.getByRole('heading', { name: /^owns \d+/ })).toBeVisible()
  await page.getByRole('link', { name: 'cart', exact: true }).first().click()
  await expect(page).toHaveURL(/component\/default\/cart/)
})

/** What has the focus must be in sight: inside the window, and nothing lies over it (WCAG 2.2, focus not obscured). */
const obscured = (page: Page) =>
  page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done)) // it is scrolled to
    const e = document.activeElement
    if (!(e instanceof HTMLElement) || e === document.body) return undefined
    const r = e.getBoundingClientRect()
    const [x, y] = [r.left + r.width / 2, r.top + Math.min(r.height / 2, 20)]
    const there = document.elementFromPoint(x, y)
    const name = `${e.tagName} ${(e.getAttribute('aria-label') ?? e.textContent ?? '').slice(0, 40)}`
    if (r.width < 2) return undefined // visually hidden until it is focused by its own label
    return there && (e.contains(there) || there.contains(e) || there.closest('label')?.contains(e)) ? undefined : name
  })

for (const [width, path] of [
  [1440, '/'],
  [1440, '/catalog'],
  [1440, SERVICE],
  [1440, '/environments'],
  [1440, '/settings/config'],
  [390, '/'],
  [390, '/catalog'],
  [390, SERVICE],
  [390, '/environments'],
  [390, '/runs'],
] as const)
  // prettier-ignore
  test(`the focus stays in sight on ${path} at ${width}`, async ({ page }) => {
    await page.setViewportSize({ width, height: 700 })
    await page.goto(path)
    await settled(page)
    const hidden: string[] = []
    for (let i = 0; i < 45; i++) {
      await page.keyboard.press('Tab')
      const found = await obscured(page)
      if (found) hidden.push(found)
    }
    expect([...new Set(hidden)]).toEqual([])
    const wide = await page.evaluate(() => {
      const main = document.querySelector('#main')
      return Math.max(document.documentElement.scrollWidth, main?.scrollWidth ?? 0) - window.innerWidth
    })
    expect(wide, 'nothing is cut or scrolls sideways').toBeLessThanOrEqual(0)
  })
