/** Small typed answers for tests. Never part of the product's bundle. */
import type { Entity, Environment, Matrix, Me, ParameterSchema, Plan, Run } from '~/api/types'
import type { Answers } from './app'

export const T0 = 1_700_000_000_000_000
export const me: Me = {
  ref: 'user:default/dana',
  display_name: 'Dana Reyes',
  roles: ['developer'],
  groups: ['group:default/checkout'],
  permissions: [],
}
export const service: Entity = {
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Component',
  metadata: { name: 'orders', namespace: 'default', title: 'Orders', description: 'Keeps orders.', tags: ['python'] },
  spec: { type: 'service', lifecycle: 'production', owner: 'group:default/checkout' },
  relations: [{ type: 'ownedBy', targetRef: 'group:default/checkout' }],
}
export const template: Entity = {
  apiVersion: 'scaffolder.backstage.io/v1beta3',
  kind: 'Template',
  metadata: { name: 'python-service', namespace: 'default', title: 'Python service', description: 'A FastAPI service.' },
  spec: {
    type: 'service',
    owner: 'group:default/platform',
    steps: [{ id: 'fetch', name: 'Write the files', action: 'fetch:template' }],
  },
}
export const parameters: ParameterSchema = {
  title: 'Python service',
  description: 'A FastAPI service.',
  steps: [
    {
      title: 'What is it?',
      schema: {
        required: ['name', 'owner'],
        properties: {
          name: { title: 'Name', type: 'string', pattern: '^[a-z][a-z-]+$', 'ui:help': 'Lower-case letters and dashes.' },
          owner: {
            title: 'Owner',
            type: 'string',
            'ui:field': 'OwnerPicker',
            'ui:options': { catalogFilter: { kind: 'Group' } },
          },
        },
      },
    },
    {
      title: 'What does it need?',
      schema: { properties: { database: { title: 'PostgreSQL database', type: 'boolean', default: true } } },
    },
  ],
}
export const plan: Plan = {
  id: 'plan-1',
  hash: 'abc123',
  files: [{ path: 'README.md', size: 8, content_base64: btoa('# Orders') }],
  resources: [{ type: 'postgres', name: 'db', driver: 'postgres_local' }],
  names: [{ name: 'orders', kind: 'repository', taken: false }],
  checks: [{ id: 'owner', title: 'The owner exists', verdict: 'passed' }],
}
export const run: Run = {
  id: 'run-1',
  kind: 'scaffold',
  title: 'Create orders',
  state: 'failed',
  created_by: 'user:default/dana',
  created_at: T0,
  started_at: T0,
  ended_at: T0 + 12_000_000,
  error: { code: 'pipeline.failed', detail: 'the pipeline of orders failed: see its log' },
  version: 4,
  actions: ['retry', 'undo'],
  steps: [
    {
      id: 'fetch',
      name: 'Write the files',
      action: 'fetch:template',
      state: 'succeeded',
      started_at: T0,
      ended_at: T0 + 2_000_000,
    },
    {
      id: 'deploy',
      name: 'Deploy',
      action: 'taxiway:deploy',
      state: 'failed',
      started_at: T0 + 2_000_000,
      ended_at: T0 + 12_000_000,
      error: 'no green pipeline',
    },
  ],
}
const environment = (name: string, rank: number, production = false): Environment => ({
  name,
  title: name,
  type: name,
  destination: 'process',
  production,
  rank,
})
export const matrix: Matrix = {
  environments: [environment('development', 1), environment('staging', 2), environment('production', 3, true)],
  services: [
    {
      ref: 'component:default/orders',
      title: 'Orders',
      owner: 'group:default/checkout',
      cells: {
        development: {
          deployment_id: 'd2',
          release_id: 'r2',
          version: '0.2.0',
          state: 'succeeded',
          health: 'healthy',
          url: 'http://orders.development.localhost:8800',
          deployed_at: T0,
        },
        staging: {
          deployment_id: 'd1',
          release_id: 'r1',
          version: '0.1.0',
          state: 'succeeded',
          health: 'healthy',
          deployed_at: T0,
        },
      },
    },
  ],
}
const group: Entity = {
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Group',
  metadata: { name: 'checkout', namespace: 'default' },
  spec: { type: 'team' },
}
const page = (items: Entity[]) => ({ items, totalItems: items.length, pageInfo: {} })

/** What every page asks for. */
export const base: Answers = {
  'GET /api/access/v1/me': me,
  'GET /api/system/v1/info': { version: '0.1.0', organisation: 'Acme', demo: true },
  'GET /api/plugins/v1/portal': { navigation: [], cards: [], pages: [] },
  'GET /api/runs/v1/runs': { items: [], next_cursor: null },
  'GET /api/environments/v1/matrix': matrix,
  'GET /api/environments/v1/environments': { items: matrix.environments, next_cursor: null },
  'GET /api/catalog/entities/by-query': ({ url }: { url: URL }) => {
    const filter = url.searchParams.getAll('filter').join(';')
    return page(filter.includes('kind=template') ? [template] : filter.includes('kind=group') ? [group] : [service])
  },
  'GET /api/catalog/entity-facets': {
    facets: { kind: [{ value: 'Component', count: 1 }], 'relations.ownedBy': [{ value: 'group:default/checkout', count: 1 }] },
  },
  'GET /api/catalog/entities/by-name/component/default/orders': service,
  'GET /api/catalog/entities/by-name/template/default/python-service': template,
  'GET /api/scaffolder/v2/templates/default/template/python-service/parameter-schema': parameters,
}
