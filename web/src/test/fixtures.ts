/** Small typed answers for tests. Never part of the product's bundle. */
import type { Cell, Entity, Environment, Matrix, Me, ParameterSchema, Plan, Run } from '~/api/types'
import type { Answers } from './app'

export const T0 = 1_700_000_000_000_000
export const me: Me = {
  ref: 'user:default/dana',
  display_name: 'Dana Reyes',
  roles: ['developer'],
  groups: ['group:default/checkout'],
  permissions: [],
  csrf: null,
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
  resources: [{ type: 'postgres', name: 'db', class: 'default' }],
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
  error: 'the pipeline of orders failed: see its log',
  subject_ref: 'component:default/orders',
  owner: 'group:default/checkout',
  parent_id: null,
  waiting_for: null,
  output: null,
  plan,
  version: 4,
  actions: ['retry', 'undo'],
  steps: [
    {
      id: 'fetch',
      name: 'Write the files',
      action: 'fetch:template',
      state: 'succeeded',
      attempt: 1,
      started_at: T0,
      ended_at: T0 + 2_000_000,
      error: null,
      output: {},
      created: [],
    },
    {
      id: 'deploy',
      name: 'Deploy',
      action: 'taxiway:deploy',
      state: 'failed',
      started_at: T0 + 2_000_000,
      ended_at: T0 + 12_000_000,
      attempt: 1,
      error: 'no green pipeline',
      output: null,
      created: [{ kind: 'deployment', name: 'development/orders' }],
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
  auto_deploy: rank === 1,
  repository: `env-${name}`,
})
const cell = (environment: string, release_id: string, version: string, url: string | null): Cell => ({
  id: `d-${release_id}`,
  deployment_id: `d-${release_id}`,
  service_ref: 'component:default/orders',
  environment,
  release_id,
  previous_release_id: null,
  version,
  commit: 'c0ffee00aa',
  action: 'deploy',
  state: 'succeeded',
  latest_state: 'succeeded',
  health: 'healthy',
  sync: 'synced',
  message: '',
  url,
  created_at: T0,
  deployed_at: T0,
  run_id: 'run-1',
})
export const matrix: Matrix = {
  environments: [environment('development', 1), environment('staging', 2), environment('production', 3, true)],
  services: [
    {
      ref: 'component:default/orders',
      title: 'Orders',
      owner: 'group:default/checkout',
      cells: {
        development: cell('development', 'r2', '0.2.0', 'http://orders.development.localhost:8800'),
        staging: cell('staging', 'r1', '0.1.0', null),
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
  'GET /api/plugins/v1/portal': { cards: [], pages: [] },
  'GET /api/runs/v1/runs': { items: [], next_cursor: null },
  'GET /api/runs/v1/approvals': { items: [], by_mail: true },
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
