import { expect, test } from 'vitest'
import { tabsFor } from './EntityPage'

const ids = (kind: string, scheduled?: boolean, runs?: boolean) => tabsFor(kind, scheduled, runs).map(([id]) => id)

test('what runs on a schedule has jobs where a service has a log and metrics', () => {
  expect(ids('Component')).toEqual(['overview', 'deployments', 'pipelines', 'logs', 'metrics', 'docs', 'definition', 'history'])
  expect(ids('Component', true)).toEqual(['overview', 'deployments', 'pipelines', 'jobs', 'docs', 'definition', 'history'])
  expect(ids('Group')).not.toContain('jobs')
})

test('what has no release has nothing that a running service has', () => {
  expect(ids('Component', false, false)).toEqual(['overview', 'pipelines', 'docs', 'definition', 'history'])
})
