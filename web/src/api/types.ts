/** Shapes of the API, narrow on purpose: only what a page reads. Times are integer microseconds, UTC. */
export type Micros = number
export type Json = Record<string, unknown>
export type List<T> = { items: T[]; next_cursor: string | null }

export type Me = {
  ref: string
  display_name: string
  roles: string[]
  groups: string[]
  permissions: string[]
  csrf?: string
}
export type Token = {
  id: string
  name: string
  role: string
  created_at?: Micros
  expires_at: Micros | null
  last_used_at?: Micros | null
  token?: string
}

export type EntityRelation = { type: string; targetRef: string }
export type Entity = {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    uid?: string
    title?: string
    description?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    tags?: string[]
    links?: { url: string; title?: string; icon?: string; type?: string }[]
  }
  spec?: Json
  relations?: EntityRelation[]
  status?: { items?: { level?: string; type?: string; message?: string }[] }
}
export type EntityPageResult = {
  items: Entity[]
  totalItems: number
  pageInfo: { nextCursor?: string; prevCursor?: string }
}
export type Facets = { facets: Record<string, { value: string; count: number }[]> }
export type Location = { data: { id: string; type: string; target: string } }
export type GraphNode = { ref: string; kind: string; title?: string | null; type?: string | null; lifecycle?: string | null }
export type Graph = { nodes: GraphNode[]; edges: { source: string; target: string; type: string }[] }
export type CatalogProblem = { ref?: string | null; location?: string | null; message: string; code?: string; at?: Micros }

export type ParameterSchema = {
  title: string
  description?: string
  steps: { title: string; description?: string; schema: Json }[]
}
export type PlanFile = { path: string; size: number; content_base64?: string | null }
export type PlanCheck = { id: string; title: string; verdict: 'passed' | 'failed' | 'not_checked'; detail?: string | null }
export type Plan = {
  id: string
  hash: string
  files: PlanFile[]
  resources: { type: string; name: string; driver: string }[]
  names: { name: string; kind: string; taken: boolean }[]
  checks: PlanCheck[]
}

export type RunState =
  | 'queued'
  | 'running'
  | 'waiting'
  | 'needs_attention'
  | 'succeeded'
  | 'failed'
  | 'cancelling'
  | 'cancelled'
  | 'undoing'
  | 'undone'
export type RunOperation = 'cancel' | 'retry' | 'resume' | 'undo'
export type RunError = { code?: string; detail?: string; message?: string; name?: string } | string | null
export type RunStep = {
  id: string
  name: string
  action?: string | null
  state: string
  started_at?: Micros | null
  ended_at?: Micros | null
  error?: RunError
  output?: Json | null
  undo_state?: string | null
}
export type RunOutput = {
  links?: { url?: string; entityRef?: string; title?: string; icon?: string }[]
  text?: { title?: string; content?: string }[]
} & Json
export type Run = {
  id: string
  kind: string
  title: string
  state: RunState
  subject_ref?: string | null
  created_by?: string | null
  created_at: Micros
  started_at?: Micros | null
  ended_at?: Micros | null
  error?: RunError
  version?: number
  steps?: RunStep[]
  output?: RunOutput | null
  plan_id?: string | null
  actions?: (RunOperation | 'approve')[]
}
export type LogLine = { seq: number; step_id?: string | null; at?: Micros; stream?: string; text: string }

export type Environment = {
  name: string
  title: string
  type: string
  destination: string
  production: boolean
  rank: number
}
export type Cell = {
  deployment_id: string
  release_id: string
  version: string
  commit?: string | null
  state: string
  health: string
  url?: string | null
  deployed_at?: Micros | null
}
export type MatrixRow = { ref: string; title: string; owner?: string | null; cells: Record<string, Cell | undefined> }
export type Matrix = { environments: Environment[]; services: MatrixRow[] }
export type Release = {
  id: string
  service_ref: string
  commit: string
  version: string
  digest?: string
  score_hash?: string
  created_at: Micros
}
export type Deployment = {
  id: string
  service_ref: string
  environment: string
  release_id: string
  version: string
  state: string
  health: string
  url?: string | null
  created_at: Micros
  run_id?: string | null
  commit?: string | null
}
export type Workload = {
  id: string
  name: string
  state: string
  ready: boolean
  pid?: number | null
  port?: number | null
  restarts: number
  cpu_percent?: number | null
  memory_bytes?: number | null
  started_at?: Micros | null
  url?: string | null
}
export type Resource = { id: string; type: string; driver: string; state: string; outputs?: Json | null }

export type PipelineStep = { name: string; state: string; seconds?: number | null }
export type PipelineJob = { id: string; name: string; state: string; steps?: PipelineStep[] }
export type Pipeline = {
  id: string
  repository: string
  commit: string
  branch: string
  state: string
  started_at?: Micros | null
  ended_at?: Micros | null
  workflow: string
  jobs?: PipelineJob[]
}
export type Repository = { name: string; clone_url: string; default_branch: string; service_ref?: string | null }

export type Series = { name: string; unit: string; points: [Micros, number | null][] }
export type Metrics = { series: Series[]; reason?: string | null }

export type DocsSite = { title: string; nav: { title: string; path: string }[]; commit?: string | null }
export type DocsPage = { title: string; html: string; toc: { level: number; id: string; text: string }[] }

export type AuditEvent = {
  seq: number
  id: string
  type: string
  source?: string
  subject?: string | null
  time: Micros | string
  data?: Json | null
  subject_principal?: string | null
  via?: string | null
}
export type Verification = { ok: boolean; checked: number; problem?: string | null }

export type Plugin = {
  name: string
  version: string
  state: 'active' | 'failed' | 'disabled'
  error?: string | null
  contributions: { point: string; key: string }[]
}
export type Display = 'table' | 'facts' | 'chart' | 'timeline' | 'log' | 'markdown' | 'links'
export type PortalCard = {
  id: string
  plugin: string
  kinds: string[]
  title: string
  display: Display
  operation: string
  columns?: string[]
}
export type PortalPage = { key?: string; path?: string; title: string; plugin?: string; cards: PortalCard[] }
export type PortalExtensions = {
  navigation: { title: string; path: string; icon?: string | null }[]
  cards: PortalCard[]
  pages: PortalPage[]
}

export type SystemInfo = { version: string; organisation: string; demo: boolean; data_folder?: string | null }
export type ConfigItem = { key: string; value: unknown; source: string }
