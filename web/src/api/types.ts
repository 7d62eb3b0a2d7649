/** Shapes of the API. What the description says is taken from it (`schema.d.ts`, made by `make openapi`); narrow types of
 * our own stand only where it says "object". Times are integer microseconds, UTC. */
import type { components } from './schema'

type S = components['schemas']
export type Micros = number
export type Json = Record<string, unknown>
export type List<T> = { items: T[]; next_cursor?: string | null }

export type Me = S['Me']
export type Token = S['TokenView'] & { token?: string }
export type RoleOf = S['RoleView']

export type EntityRelation = S['EntityRelation']
export type SearchResults = S['SearchResults']
export type Webhook = S['WebhookView']
export type Delivery = S['DeliveryView']
export type Offer = S['OfferView']
export type Draft = S['DraftView']
export type ForgeHost = S['ForgeHostView']
export type Kind = S['KindView']
export type View = S['ViewView']
export type ViewBody = S['ViewBody']
export type Ownership = S['Ownership']
export type ComputedProperty = S['PropertyView']
export type Provenance = S['Provenance']
export type FieldProvenance = S['FieldProvenance']
export type ProvenanceSource = S['ProvenanceSource']
export type Entity = {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    uid?: string
    etag?: string
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
export type EntityPageResult = { items: Entity[]; totalItems: number; pageInfo: S['PageInfo'] }
export type Facets = S['Facets']
export type Source = S['SourceView']
export type SourceDetail = S['SourceDetail']
export type OverlayLayer = S['LayerView']
export type HeldEntity = S['HeldEntity']
export type Location = S['LocationView']
export type LocationCreated = S['LocationCreated']
export type GraphNode = S['GraphNode']
export type Graph = S['Graph']
export type CatalogProblem = S['ProblemView']
export type EntityVersion = S['VersionView']
export type EntityChange = S['Difference']
export type EntitySource = S['EditableView']
export type EditForm = S['EditForm']
export type EditField = S['FormFieldView']
export type EditPreview = S['EditPreview']
export type EditOutcome = S['EditOutcome']
export type EditBody = { fields?: Json; text?: string }
export type AdditionBody = { repository: string; path: string; document?: Json; text?: string }

export type ParameterSchema = {
  title: string
  description?: string
  steps: { title: string; description?: string; schema: Json }[]
  'taxiway:deprecation'?: Deprecation
}
/** `deadline` is the day (YYYY-MM-DD) from which the golden path makes nothing new; `is_blocked` says that it does not now. */
export type Deprecation = { notice: string; replaced_by: string | null; deadline: string | null; is_blocked: boolean }
/** A golden path in figures of the last 90 days; times are medians in seconds, null where nothing was measured. */
export type GoldenPath = {
  template: string
  tasks: number
  succeeded: number
  success_rate: number | null
  lead_seconds: number | null
  first_deployment_seconds: number | null
  services: number
  behind: number
  deprecation: Deprecation | null
  wizards: WizardFigures
}
/** Forms that were opened, and what came of them; those that may still go on are in `opened` and `reached` only. */
export type WizardFigures = {
  opened: number
  tasks: number
  drafts: number
  abandoned: number
  pages: { page: number; title: string; reached: number; abandoned: number }[]
}
export type GoldenPaths = { items: GoldenPath[]; coverage: { total: number; covered: number; share: number | null } }
/** A repository that shows which template made it, and has no record of it. `template` is null when it is not here. */
export type Adoptable = {
  repository: string
  subject: string | null
  owner: string | null
  tool: 'backstage' | 'copier' | 'cruft'
  source: string
  template: string | null
}
/** A plan made now has the files' content; the plan that a run keeps has their names and sizes only. */
export type TemplateFiles = S['TemplateFiles']
export type TemplateFile = S['TemplateFileView']
export type DirectoryFile = S['DirectoryFile']
export type LintFinding = S['LintFinding']
export type LintAnswer = Omit<S['LintAnswer'], 'form' | 'template'> & { form: ParameterSchema | null; template: Json | null }
export type Proposal = S['ProposalBody']
export type ProposalFile = S['FileBody']
/** Backstage's answer to a dry run. */
export type DryRun = {
  log: { body: { message: string; stepId?: string } }[]
  steps: { id: string; action: string }[]
  output: Json
  directoryContents: { path: string; executable: boolean; base64Content: string }[]
}
export type PlanFile = { path: string; size: number; executable?: boolean; content_base64?: string | null }
export type PlanCheck = { id: string; title: string; verdict: 'passed' | 'failed' | 'not_checked'; detail?: string | null }
export type Plan = {
  id: string
  hash: string
  template_ref?: string
  template_etag?: string
  files: PlanFile[]
  resources: { type: string; name: string; class?: string }[]
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
export type RunStep = S['StepView']
export type RunOutput = {
  links?: { url?: string; entityRef?: string; title?: string; icon?: string }[]
  text?: { title?: string; content?: string }[]
} & Json
/** What an undo takes back, last first; `changed` has to be confirmed by name. */
export type UndoPlan = S['UndoPlan']
export type Approvals = S['WaitingApprovals']
export type Run = Omit<S['RunView'], 'state' | 'output' | 'plan' | 'actions'> & {
  state: RunState
  output: RunOutput | null
  plan: Plan | null
  actions: (RunOperation | 'approve')[]
}
/** Lines of a run carry `step_id`, those of a pipeline and a workload do not. Logs are paged by `after`, without a cursor. */
export type LogLine = { seq: number; step_id?: string | null; at?: Micros | null; stream?: string; text: string }
export type LogLines = { items: LogLine[] }

export type Environment = S['EnvironmentView']
export type Cell = S['CellView']
export type MatrixRow = Omit<S['ServiceRow'], 'cells'> & { cells: Record<string, Cell | undefined> }
export type Matrix = { environments: Environment[]; services: MatrixRow[] }
export type Release = S['ReleaseView']
export type Deployment = S['DeploymentView']
export type Workload = S['WorkloadView']
export type Schedule = S['ScheduleView']
export type Job = S['ScheduledJobView']
export type Resource = S['ResourceView']

export type PipelineStep = S['JobStepView']
export type PipelineJob = S['JobView']
export type Pipeline = S['PipelineView']
export type Repository = S['RepositoryView']

export type Pull = S['PullView']
export type PullDetail = S['PullDetail']
export type PullCommit = S['CommitView']
export type PullFile = S['FileView']
export type PullFiles = S['FileList']
export type FoundLine = S['FoundLine']
export type Review = S['ReviewView']
export type ReviewVerdict = Review['verdict']
export type MergeMethod = PullDetail['methods'][number]

export type UpgradeState = 'current' | 'behind' | 'proposed' | 'declined' | 'unknown'
/** A service that a golden path made. `newest` is null when the path cannot be read any more. */
export type GoldenService = {
  subject: string
  repository: string
  owner: string | null
  template: string
  version: string
  newest: string | null
  state: UpgradeState
  pull: number | null
  answers: Json
  created_at: Micros
  upgraded_at: Micros | null
  run_id: string
}
export type UpgradeQuestion = {
  name: string
  schema: Json
  is_required: boolean
  is_new: boolean
  answer: unknown
  problem: string | null
}
/** `files` is null while a question needs an answer, and for a service that has the newest version. */
export type UpgradePlan = GoldenService & {
  to: string
  questions: UpgradeQuestion[]
  files: PullFile[] | null
  file_count?: number
  additions?: number
  deletions?: number
  conflicts: { path: string; kind: string; detail: string }[]
  is_record_changed: boolean
  is_ready: boolean
}

export type Series = { name: string; unit: string; points: [Micros, number | null][] }
export type Metrics = { series: Series[]; reason: string | null }

export type DocsSite = S['SiteView']
export type DocsPage = S['PageView']

export type AuditEvent = S['EventView']
export type Verification = S['Verification']

export type Plugin = S['PluginView']
export type Display = 'table' | 'facts' | 'chart' | 'timeline' | 'log' | 'markdown' | 'links'
export type PortalCard = { key: string; title: string; kinds: string[]; display: Display; operation: string; columns: string[] }
export type PortalPage = { key: string; title: string; cards: PortalCard[]; navigation: boolean }
export type PortalExtensions = { cards: PortalCard[]; pages: PortalPage[] }

export type SignInWays = S['SignInWays']
export type SystemInfo = S['Info']
export type ConfigItem = S['SettingView']
