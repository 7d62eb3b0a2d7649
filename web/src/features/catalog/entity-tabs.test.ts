import { expect, test } from 'vitest'
import { tabsFor } from './EntityPage'

const ids = (kind: string, of?: Parameters<typeof tabsFor>[1]) => tabsFor(kind, of).map(([id]) => id)

test('what runs on a schedule has jobs where a service has a log and metrics', () => {
  expect(ids('Component')).toEqual(['overview', 'deployments', 'pipelines', 'logs', 'metrics', 'docs', 'definition', 'history'])
  expect(ids('Component', { scheduled: true })).toEqual([
    'overview',
    'deployments',
    'pipelines',
    'jobs',
    'docs',
    'definition',
    'history',
  ])
  expect(ids('Group')).not.toContain('jobs')
})

test('what has no release has nothing that a running service has', () => {
  expect(ids('Component', { runs: false })).toEqual(['overview', 'pipelines', 'docs', 'definition', 'history'])
  expect(ids('Component', { runs: false, built: false })).toEqual(['overview', 'docs', 'definition', 'history'])
})
