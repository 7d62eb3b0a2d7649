/** One queryOptions function per operation. Pages and loaders use the same one; keys start with the noun, for invalidation. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { get, post } from './client'
import { entityBody, type EntityFilter, entityParams } from './entity-params'
import { entityRef, type RefParts } from './refs'
import type * as T from './types'

const path = (p: RefParts) => `${encodeURIComponent(p.kind)}/${encodeURIComponent(p.namespace)}/${encodeURIComponent(p.name)}`

// access
export const meQuery = () =>
  queryOptions({ queryKey: ['me'], queryFn: () => get<T.Me>('/api/access/v1/me'), staleTime: 60_000, retry: false })

// catalog
export const entitiesQuery = (f: EntityFilter) =>
  queryOptions({
    queryKey: ['entities', f],
    queryFn: ({ signal }) =>
      f.query && !f.cursor
        ? post<T.EntityPageResult>('/api/catalog/entities/by-query', entityBody(f))
        : get<T.EntityPageResult>('/api/catalog/entities/by-query', entityParams(f), signal),
    placeholderData: keepPreviousData,
  })
export const facetsQuery = (facets: string[], filter: string[], query?: T.Json) =>
  queryOptions({
    queryKey: ['facets', facets, query ?? filter],
    queryFn: ({ signal }) =>
      query
        ? post<T.Facets>('/api/catalog/entity-facets', { facets, query })
        : get<T.Facets>('/api/catalog/entity-facets', { facet: facets, filter }, signal),
    placeholderData: keepPreviousData,
  })
export const kindsQuery = () =>
  queryOptions({
    queryKey: ['kinds'],
    queryFn: () => get<T.List<T.Kind>>('/api/catalog/v1/kinds'),
    staleTime: 60_000,
  })
export const propertiesQuery = (p: RefParts) =>
  queryOptions({
    queryKey: ['entity', 'properties', p],
    queryFn: () => get<T.List<T.ComputedProperty>>(`/api/catalog/v1/properties/${path(p)}`),
  })
/** A new version of the entity is asked for anew. */
export const provenanceQuery = (p: RefParts, etag?: string) =>
  queryOptions({
    queryKey: ['entity', 'provenance', p, etag],
    queryFn: () => get<T.Provenance>(`/api/catalog/v1/provenance/${path(p)}`),
  })
export const ownershipQuery = (p: RefParts) =>
  queryOptions({
    queryKey: ['entity', 'ownership', p],
    queryFn: () => get<T.Ownership>(`/api/catalog/v1/ownership/${path(p)}`),
  })
export const entityQuery = (p: RefParts) =>
  queryOptions({
    queryKey: ['entity', p.kind, p.namespace, p.name],
    queryFn: () => get<T.Entity>(`/api/catalog/entities/by-name/${path(p)}`),
  })
export const graphQuery = (p: RefParts, depth: number) =>
  queryOptions({
    queryKey: ['graph', p, depth],
    queryFn: () => get<T.Graph>(`/api/catalog/v1/graph/${path(p)}`, { depth }),
    placeholderData: keepPreviousData,
  })
export const entityAtQuery = (p: RefParts, at: number) =>
  queryOptions({
    queryKey: ['entity', p.kind, p.namespace, p.name, at],
    queryFn: () => get<T.Entity>(`/api/catalog/entities/by-name/${path(p)}`, { as_of: at }),
    staleTime: Infinity,
  })
export const historyQuery = (p: RefParts) =>
  infiniteQueryOptions({
    queryKey: ['entity', p.kind, p.namespace, p.name, 'history'],
    queryFn: ({ pageParam }) =>
      get<T.List<T.EntityVersion>>(`/api/catalog/v1/history/${path(p)}`, { limit: 50, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
export type ProblemFilter = { source?: string; ref?: string; code?: string }
export const catalogProblemsQuery = (f: ProblemFilter) =>
  infiniteQueryOptions({
    queryKey: ['problems', f],
    queryFn: ({ pageParam }) =>
      get<T.List<T.CatalogProblem>>('/api/catalog/problems', {
        source_id: f.source,
        ref: f.ref,
        code: f.code,
        cursor: pageParam,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })

// scaffolder
export const forgesQuery = () =>
  queryOptions({
    queryKey: ['forges'],
    queryFn: () => get<T.List<T.ForgeHost>>('/api/scaffolder/v1/forges'),
    staleTime: 300_000,
  })
export const templatesQuery = () => entitiesQuery({ filter: ['kind=template'], limit: 100, order: 'metadata.name,asc' })
export const parameterSchemaQuery = (namespace: string, name: string) =>
  queryOptions({
    queryKey: ['parameter-schema', namespace, name],
    queryFn: () =>
      get<T.ParameterSchema>(
        `/api/scaffolder/v2/templates/${encodeURIComponent(namespace)}/template/${encodeURIComponent(name)}/parameter-schema`,
      ),
  })
export type ServiceFilter = { state?: string; template?: string; limit?: number }
export const goldenServicesQuery = (f: ServiceFilter) =>
  infiniteQueryOptions({
    queryKey: ['golden-services', f],
    queryFn: ({ pageParam }) => get<T.List<T.GoldenService>>('/api/scaffolder/v1/services', { ...f, cursor: pageParam }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
/** Those of a golden path that lag behind. */
export const behindQuery = (template: string) =>
  queryOptions({
    queryKey: ['golden-services', 'behind', template],
    queryFn: () => get<T.List<T.GoldenService>>('/api/scaffolder/v1/services', { state: 'behind', template, limit: 200 }),
  })
export const goldenServiceQuery = (subject: string) =>
  queryOptions({
    queryKey: ['golden-services', 'of', subject],
    queryFn: () => get<T.List<T.GoldenService>>('/api/scaffolder/v1/services', { subject }),
  })
/** A question to the server, though it is a POST: nothing is kept. */
export const upgradePlanQuery = (subject: string, answers: T.Json) =>
  queryOptions({
    queryKey: ['upgrade-plan', subject, answers],
    queryFn: () => post<T.UpgradePlan>('/api/scaffolder/v1/upgrades/plan', { subject, answers }),
    retry: false,
    staleTime: 0,
    placeholderData: keepPreviousData,
  })

// runs
export type RunFilter = { state?: string; kind?: string; subject?: string; parent_id?: string; limit?: number }
export const runsQuery = (f: RunFilter = {}) =>
  infiniteQueryOptions({
    queryKey: ['runs', f],
    queryFn: ({ pageParam }) => get<T.List<T.Run>>('/api/runs/v1/runs', { ...f, cursor: pageParam }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
export const approvalsQuery = () =>
  queryOptions({
    queryKey: ['runs', 'approvals'],
    queryFn: () => get<T.Approvals>('/api/runs/v1/approvals'),
    refetchInterval: 10_000,
  })
export const recentRunsQuery = (f: RunFilter) =>
  queryOptions({
    queryKey: ['runs', 'recent', f],
    queryFn: () => get<T.List<T.Run>>('/api/runs/v1/runs', f),
    refetchInterval: 10_000,
  })
export const runQuery = (id: string) =>
  queryOptions({ queryKey: ['run', id], queryFn: () => get<T.Run>(`/api/runs/v1/runs/${encodeURIComponent(id)}`) })
/** How many lines one page of a log has at most: a full page means that more may follow. */
export const LOG_PAGE = 1000
export const logPage = (path: string, after: number) => get<T.LogLines>(path, { after: after || undefined, limit: LOG_PAGE })
export const runLogs = (id: string, after: number) => logPage(`/api/runs/v1/runs/${encodeURIComponent(id)}/logs`, after)
export const runEventsPath = (id: string) => `/api/runs/v1/runs/${encodeURIComponent(id)}/events`

// environments
export const environmentsQuery = () =>
  queryOptions({
    queryKey: ['environments'],
    queryFn: () => get<{ items: T.Environment[] }>('/api/environments/v1/environments'),
  })
export const matrixQuery = () =>
  queryOptions({ queryKey: ['matrix'], queryFn: () => get<T.Matrix>('/api/environments/v1/matrix'), refetchInterval: 5_000 })
export const releasesQuery = (service: string) =>
  queryOptions({
    queryKey: ['releases', service],
    queryFn: () => get<T.List<T.Release>>('/api/environments/v1/releases', { service }),
  })
export type Scope = { service?: string; environment?: string; limit?: number }
export const deploymentsQuery = (scope: Scope) =>
  queryOptions({
    queryKey: ['deployments', scope],
    queryFn: () => get<T.List<T.Deployment>>('/api/environments/v1/deployments', scope),
    refetchInterval: 10_000,
  })
export const workloadsQuery = (scope: Scope) =>
  queryOptions({
    queryKey: ['workloads', scope],
    queryFn: () => get<{ items: T.Workload[] }>('/api/environments/v1/workloads', scope),
    refetchInterval: 5_000,
  })
export const resourcesQuery = (scope: Scope) =>
  queryOptions({
    queryKey: ['resources', scope],
    queryFn: () => get<T.List<T.Resource>>('/api/environments/v1/resources', scope),
  })
export const workloadLogs = (id: string, after: number) =>
  logPage(`/api/environments/v1/workloads/${encodeURIComponent(id)}/logs`, after)
export const workloadLogStream = (id: string, after: number) =>
  `/api/environments/v1/workloads/${encodeURIComponent(id)}/logs/stream${after ? `?after=${after}` : ''}`

// delivery
export const pipelinesQuery = (f: { repository?: string; service?: string; limit?: number }) =>
  queryOptions({
    queryKey: ['pipelines', f],
    queryFn: () => get<T.List<T.Pipeline>>('/api/delivery/v1/pipelines', f),
    refetchInterval: 5_000,
  })
export const pipelineQuery = (id: string) =>
  queryOptions({
    queryKey: ['pipeline', id],
    queryFn: () => get<T.Pipeline>(`/api/delivery/v1/pipelines/${encodeURIComponent(id)}`),
    refetchInterval: 3_000,
  })
export const pipelineLogs = (id: string, after: number) =>
  logPage(`/api/delivery/v1/pipelines/${encodeURIComponent(id)}/logs`, after)
export const repositoriesQuery = () =>
  queryOptions({
    queryKey: ['repositories'],
    queryFn: () => get<T.List<T.Repository>>('/api/delivery/v1/repositories'),
    staleTime: 60_000,
  })

// pulls
export type PullFilter = { repository?: string; state?: string; author?: string; limit?: number }
const pullPath = (repository: string, number: string) =>
  `/api/pulls/v1/pulls/${encodeURIComponent(repository)}/${encodeURIComponent(number)}`
export const pullsQuery = (f: PullFilter) =>
  infiniteQueryOptions({
    queryKey: ['pulls', f],
    queryFn: ({ pageParam }) => get<T.List<T.Pull>>('/api/pulls/v1/pulls', { ...f, cursor: pageParam }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
export const pullQuery = (repository: string, number: string) =>
  queryOptions({
    queryKey: ['pull', repository, number],
    queryFn: () => get<T.PullDetail>(pullPath(repository, number)),
    refetchInterval: 5_000,
  })
/** The head is part of the key: what was pushed since is another list. */
export const pullCommitsQuery = (repository: string, number: string, head: string) =>
  queryOptions({
    queryKey: ['pull', repository, number, 'commits', head],
    queryFn: () => get<T.List<T.PullCommit>>(`${pullPath(repository, number)}/commits`),
  })
export const pullFilesQuery = (repository: string, number: string, head: string) =>
  infiniteQueryOptions({
    queryKey: ['pull', repository, number, 'files', head],
    queryFn: ({ pageParam }) => get<T.PullFiles>(`${pullPath(repository, number)}/files`, { limit: 25, cursor: pageParam }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
export const pullReviewsQuery = (repository: string, number: string) =>
  queryOptions({
    queryKey: ['pull', repository, number, 'reviews'],
    queryFn: () => get<T.List<T.Review>>(`${pullPath(repository, number)}/reviews`, { limit: 500 }),
    refetchInterval: 10_000,
  })

// observability and docs
export const metricsQuery = (service: string, environment: string, seconds: number) =>
  queryOptions({
    queryKey: ['metrics', service, environment, seconds],
    queryFn: () => get<T.Metrics>('/api/observability/v1/metrics', { service, environment, seconds }),
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  })
export const docsSiteQuery = (p: RefParts) =>
  queryOptions({ queryKey: ['docs', p], queryFn: () => get<T.DocsSite>(`/api/docs/v1/sites/${path(p)}`), retry: false })
export const docsPageQuery = (p: RefParts, page: string) =>
  queryOptions({
    queryKey: ['docs', p, page],
    queryFn: () => get<T.DocsPage>(`/api/docs/v1/sites/${path(p)}/pages/${page.split('/').map(encodeURIComponent).join('/')}`),
    enabled: page !== '',
  })

// events, plugins, system
export const eventsQuery = (f: { type?: string; subject?: string; limit?: number }) =>
  infiniteQueryOptions({
    queryKey: ['events', f],
    queryFn: ({ pageParam }) => get<T.List<T.AuditEvent>>('/api/events/v1/events', { ...f, cursor: pageParam }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
export const verifyAudit = () => get<T.Verification>('/api/events/v1/verify')
export const pluginsQuery = () =>
  queryOptions({ queryKey: ['plugins'], queryFn: () => get<T.List<T.Plugin>>('/api/plugins/v1/plugins') })
export const portalQuery = () =>
  queryOptions({ queryKey: ['portal'], queryFn: () => get<T.PortalExtensions>('/api/plugins/v1/portal'), staleTime: 300_000 })
export const cardDataQuery = (operation: string) =>
  queryOptions({ queryKey: ['card', operation], queryFn: () => get<unknown>(operation), refetchInterval: 15_000 })
export const infoQuery = () =>
  queryOptions({ queryKey: ['info'], queryFn: () => get<T.SystemInfo>('/api/system/v1/info'), staleTime: 300_000 })
/** An installation that was given no name is called by the product's. */
export const organisationOf = (info: T.SystemInfo | undefined): string =>
  info && info.organisation !== 'default' ? info.organisation : 'Taxiway'

export const isTemplate = (e: T.Entity) => entityRef(e).startsWith('template:')
