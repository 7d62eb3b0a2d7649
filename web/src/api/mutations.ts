/** Every write of the portal, one function per operation. Long work answers with the id of its run. */
import { del, post, put, withQuery } from './client'
import type { RefParts } from './refs'
import type {
  GoldenService,
  Job,
  Json,
  LocationCreated,
  Me,
  MergeMethod,
  Plan,
  Pull,
  PullDetail,
  Review,
  ReviewVerdict,
  RoleOf,
  Run,
  RunOperation,
  Token,
} from './types'

export type Started = { run_id: string }

export const signIn = (body: { username: string; password: string } | { link_token: string }) =>
  post<{ principal: Me }>('/api/access/v1/sessions', body)
export const signOut = () => post<{ url: string | null }>('/api/access/v1/sessions/current/end')
export const createToken = (body: { name: string; role: string; ttl_seconds: number }) =>
  post<Token>('/api/access/v1/tokens', body)
export const giveRole = (body: { member: string; role: string }) => post<RoleOf>('/api/access/v1/roles', body)
export const takeRole = (one: RoleOf) => del<void>(withQuery('/api/access/v1/roles', { member: one.member, role: one.role }))
export const revokeToken = (id: string) => del<void>(`/api/access/v1/tokens/${encodeURIComponent(id)}`)

type LocationOrder = { type: string; target: string; trust: boolean }
export const registerLocation = ({ trust, ...body }: LocationOrder) =>
  post<LocationCreated>(withQuery('/api/catalog/locations', trust ? { trust } : {}), body)
/** What registering would bring; nothing is kept of it. */
export const lookAtLocation = ({ type, target }: LocationOrder) =>
  post<LocationCreated>('/api/catalog/locations?dryRun=true', { type, target })
/** `what` is `sources/NAME/read` of a configured source, or `locations/ID/ingest`. */
export const ingestSource = (what: string) => post<Started>(`/api/catalog/v1/${what}`)
export const reviewSource = (name: string, decision: 'remove' | 'keep') =>
  post<{ removed: number; kept: number }>(`/api/catalog/v1/sources/${encodeURIComponent(name)}/review`, { decision })
/** Its entities leave the catalog at once; the files stay where they are. */
export const unregisterLocation = (id: string) => del<void>(`/api/catalog/locations/${encodeURIComponent(id)}`)
/** What a configured source brought leaves the catalog; it comes back when the source is read again. */
export const removeSource = (name: string) => del<{ removed: number }>(`/api/catalog/v1/sources/${encodeURIComponent(name)}`)
export const deleteEntity = (uid: string) => del<void>(`/api/catalog/entities/by-uid/${encodeURIComponent(uid)}`)
export const refreshEntity = (entityRef: string) => post<void>('/api/catalog/refresh', { entityRef })

export const makePlan = (body: { template_ref: string; values: Json; secrets?: Record<string, string> }) =>
  post<Plan>('/api/scaffolder/v1/plans', body)
type TaskOrder = {
  templateRef: string
  values: Json
  planHash?: string
  draftId?: string
  wizardId: string
  secrets?: Record<string, string>
}
/** `planHash` binds the task to the plan that was shown: another plan is refused. */
export const startTask = (body: TaskOrder) => post<{ id: string }>('/api/scaffolder/v2/tasks', body)

export const startUpgrade = (body: { subject: string; answers: Json }) =>
  post<{ id: string }>('/api/scaffolder/v1/upgrades', body)
export const declineUpgrade = (subject: string) => post<GoldenService>('/api/scaffolder/v1/services/decline', { subject })
export type FleetOrder = { template_ref: string; canary: number; pace: number; stop_after_failures: number; answers: Json }
export const startFleet = (body: FleetOrder) => post<{ id: string }>('/api/scaffolder/v1/fleet-upgrades', body)

/** Run a scheduled workload now. */
export const runJob = (body: { service_ref: string; environment: string }) => post<Job>('/api/environments/v1/jobs', body)

export const operateRun = (id: string, operation: RunOperation, body?: { confirm: string[] }) =>
  post<Run>(`/api/runs/v1/runs/${encodeURIComponent(id)}/${operation}`, body)
export const decideRun = (id: string, body: { decision: 'approved' | 'rejected'; comment: string }) =>
  post<Run>(`/api/runs/v1/runs/${encodeURIComponent(id)}/approvals`, body)

const pullPath = (p: { repository: string; number: number }) =>
  `/api/pulls/v1/pulls/${encodeURIComponent(p.repository)}/${p.number}`
/** Merged only as it was seen: a head that moved since is refused. */
export const mergePull = (p: Pull, body: { method: MergeMethod; delete_branch: boolean }) =>
  post<PullDetail>(`${pullPath(p)}/merge`, { ...body, head_sha: p.head_sha })
export const reviewPull = (p: Pull, body: { verdict: ReviewVerdict; body: string; path?: string; line?: number }) =>
  post<Review>(`${pullPath(p)}/reviews`, { ...body, commit: p.head_sha })
export const operatePull = (p: Pull, operation: 'close' | 'reopen') => post<PullDetail>(`${pullPath(p)}/${operation}`)
export const markReady = (p: Pull) => put<PullDetail>(pullPath(p), { draft: false })

export const deploy = (body: { service_ref: string; environment: string; release_id: string }) =>
  post<Started>('/api/environments/v1/deployments', body)
export const rollBack = (body: { service_ref: string; environment: string; release_id?: string }) =>
  post<Started>('/api/environments/v1/rollbacks', body)
/** Takes a service out of one environment, with its databases there. */
export const destroyIn = (p: RefParts, environment: string) =>
  del<Started>(
    withQuery(
      `/api/environments/v1/services/${encodeURIComponent(p.kind)}/${encodeURIComponent(p.namespace)}/${encodeURIComponent(p.name)}`,
      { environment },
    ),
  )
/** Deletes a service wholly: every environment, its repository, releases and entities. */
export const decommission = (service_ref: string) => post<Started>('/api/delivery/v1/decommissions', { service_ref })
