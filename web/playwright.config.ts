// Browser tests run against a Taxiway that is up already: TAXIWAY_URL is its address, TAXIWAY_LINK a one-time sign-in link.
import { defineConfig } from '@playwright/test'
import { findBrowser, FLAGS } from './test/e2e/browser'

export default defineConfig({
  testDir: 'test/e2e',
  timeout: 60_000,
  workers: 1,
  reporter: 'line',
  outputDir: 'test-results',
  use: {
    baseURL: process.env.TAXIWAY_URL ?? 'http://127.0.0.1:7007',
    trace: 'retain-on-failure',
    launchOptions: { executablePath: await findBrowser(), args: FLAGS },
  },
})
