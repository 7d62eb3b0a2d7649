/** What every spec shares: a page whose console is watched, and the axe scan. */
import { expect, type Page, test as base } from '@playwright/test'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export const STATE = fileURLToPath(new URL('../../../test-results/portal-session.json', import.meta.url))
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** `refusals` says that a spec provokes refused requests, which a browser always writes into its console. */
export const test = base.extend<{ refusals: boolean; watched: void }>({
  refusals: [false, { option: true }],
  watched: [
    async ({ page, refusals }, use) => {
      const found: string[] = []
      page.on('console', (m) => {
        const refused = /status of 40[1349]|ApiError/.test(m.text())
        if (m.type() === 'error' && !(refusals && refused)) found.push(m.text())
      })
      page.on('pageerror', (e) => found.push(e.message))
      await use()
      expect(found, 'errors in the console').toEqual([])
    },
    { auto: true },
  ],
})
export { expect }

/** Loading is over: no skeleton is left and the page has its heading. */
export async function settled(page: Page) {
  await expect(page.getByRole('status', { name: 'Loading' })).toHaveCount(0)
  await expect(page.getByRole('heading', { level: 1 }).first()).toBeAttached() // a page of docs has one of its own
}

type Finding = { id: string; impact: string | null; nodes: { target: unknown[]; failureSummary?: string }[] }
/** Rules whose answer depends on colours; the others say the same in each scheme. */
const COLOURS = ['color-contrast', 'link-in-text-block']

/** Findings of every weight in both schemes, one sentence each. */
export async function scan(page: Page): Promise<string[]> {
  await scheme(page, 'light')
  await page.evaluate(AXE)
  const light = await findings(page)
  await scheme(page, 'dark')
  return [...light, ...(await findings(page, COLOURS)).map((f) => `dark: ${f}`)]
}

/** Switches as the system would, and waits until no colour is half-way. */
async function scheme(page: Page, colorScheme: 'light' | 'dark') {
  await page.emulateMedia({ colorScheme })
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', colorScheme)
  await page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done))
    const changing = document.getAnimations().filter((a) => a instanceof CSSTransition)
    await Promise.all(changing.map((a) => a.finished.catch(() => undefined)))
  })
}

async function findings(page: Page, rules?: string[]): Promise<string[]> {
  const found = await page.evaluate(async (only) => {
    const axe = (window as unknown as { axe: { run: (o: object) => Promise<{ violations: Finding[] }> } }).axe
    // what WCAG 2.2 added is off by default
    const options = {
      resultTypes: ['violations'],
      ...(only ? { runOnly: only } : { rules: { 'target-size': { enabled: true } } }),
    }
    return (await axe.run(options)).violations
  }, rules)
  return found.map((f) =>
    `${f.id}: ${f.nodes.map((n) => `${n.target.join(' ')} ${n.failureSummary ?? ''}`).join('; ')}`.slice(0, 600),
  )
}

export async function fillFirstStep(page: Page, name: string, description: string) {
  await page.getByLabel(/^Name/).fill(name)
  await page.getByRole('combobox', { name: /^Owner/ }).click()
  await page.getByRole('option', { name: /checkout/ }).click()
  await page.getByLabel(/^Description/).fill(description)
}
