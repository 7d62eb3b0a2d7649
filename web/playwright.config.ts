// Browser tests run against a Taxiway that is up already: TAXIWAY_URL is its address, TAXIWAY_LINK a one-time sign-in link,
// TAXIWAY_VIEWER_TOKEN a token with the role viewer, TAXIWAY_FRESH_LINK and TAXIWAY_OLD_LINK two more links, one of them
// expired. tests/acceptance/test_portal.py starts one and calls them.
import { defineConfig } from '@playwright/test'
import { findBrowser, FLAGS } from './test/e2e/browser'

export default defineConfig({
  testDir: 'test/e2e',
  timeout: 60_000,
  expect: { timeout: 20_000 },
  workers: 1,
  reporter: [['list']],
  outputDir: '../test-results/portal',
  projects: [
    { name: 'sign-in', testMatch: '*.setup.ts' },
    { name: 'portal', testMatch: '*.spec.ts', dependencies: ['sign-in'] },
  ],
  use: {
    baseURL: process.env.TAXIWAY_URL ?? 'http://127.0.0.1:7007',
    screenshot: 'only-on-failure', // recording traces of everything doubles the time
    actionTimeout: 20_000,
    contextOptions: { reducedMotion: 'reduce' }, // nothing is half-way between two colours when it is looked at
    launchOptions: { executablePath: await findBrowser(), args: FLAGS },
  },
})
