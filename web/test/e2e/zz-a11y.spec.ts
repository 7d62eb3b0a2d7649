/** Every page in both schemes, after the other specs have made something to see. */
import { expect, scan, settled, STATE, test } from './support'

const PAGES: [name: string, path: string][] = [
  ['home', '/'],
  ['catalog', '/catalog'],
  ['register', '/catalog?register=true'],
  ['problems', '/catalog/problems'],
  ['add an entity', '/catalog/add'],
  ['graph', '/catalog/graph?entity=group:default/checkout'],
  ['api', '/catalog/api/default/charges?tab=api&page=post+%2Fcharges'],
  ['onboard', '/catalog/onboard'],
  ['sources', '/catalog/sources?source=demo'],
  ['search', '/search?q=cart'],
  ['create', '/create'],
  ['upgrades', '/create/upgrades'],
  ['wizard', '/create/default/python-service'],
  ['environments', '/environments'],
  ['runs', '/runs'],
  ...['plugins', 'tokens', 'roles', 'audit', 'config', 'webhooks'].map((x): [string, string] => [
    `settings ${x}`,
    `/settings/${x}`,
  ]),
]
const TABS = ['overview', 'deployments', 'pipelines', 'logs', 'metrics', 'docs', 'definition', 'history']

test.describe('accessibility', () => {
  test.use({ storageState: STATE, refusals: true }) // a service without docs answers 404, which is a state of its own
  test('no page has a finding, in light and in dark', async ({ page }) => {
    test.setTimeout(120_000)
    const { items: runs } = (await (await page.request.get('/api/runs/v1/runs?kind=scaffold')).json()) as {
      items: { id: string }[]
    }
    const made = (await page.request.get('/api/catalog/entities/by-name/component/default/parcels')).ok()
    const service = `/catalog/component/default/${made ? 'parcels' : 'cart'}`
    const pages: [string, string][] = [
      ...PAGES,
      ['edit', `${service}/edit`],
      ...TABS.map((x): [string, string] => [`entity ${x}`, `${service}?tab=${x}`]),
      ...runs.slice(0, 1).flatMap((r): [string, string][] => [['run', `/runs/${r.id}`], ['plan', `/runs/${r.id}?tab=plan`]]), // prettier-ignore
    ]
    for (const [name, path] of pages)
      await test.step(name, async () => {
        await page.goto(path)
        await settled(page)
        expect.soft(await scan(page), name).toEqual([])
      })
  })
})

test.describe('sign-in', () => {
  test.use({ storageState: { cookies: [], origins: [] } })
  test('the sign-in page has no finding', async ({ page }) => {
    await page.goto('/sign-in')
    await settled(page)
    expect(await scan(page)).toEqual([])
  })
})
