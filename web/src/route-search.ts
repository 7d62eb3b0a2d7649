/** What the URLs of the catalog's and other large pages hold: each page's state, read with care because anybody may write a URL. */
export type Raw = Record<string, unknown>
export const text = (v: unknown) => (typeof v === 'string' && v ? v : typeof v === 'number' ? String(v) : undefined)
export const texts = (v: unknown): string[] | undefined =>
  Array.isArray(v) && v.length ? v.map(String) : text(v) ? [String(v)] : undefined
const flag = (v: unknown) => v === true || v === 'true' || undefined

export type CatalogSearch = {
  q?: string
  kind?: string
  type?: string[]
  owner?: string[]
  lifecycle?: string[]
  tag?: string[]
  /** Filters as the API has them, for what the pills cannot say, and a JSON predicate. */
  filter?: string[]
  query?: string
  /** Paths, in their order. */
  columns?: string[]
  /** The saved view that this began as; `none` for no view at all. */
  view?: string
  sort?: string
  cursor?: string
  register?: boolean
}
export const catalogSearch = (s: Raw): CatalogSearch => ({
  q: text(s.q),
  kind: text(s.kind),
  type: texts(s.type),
  owner: texts(s.owner),
  lifecycle: texts(s.lifecycle),
  tag: texts(s.tag),
  filter: texts(s.filter),
  query: text(s.query) ?? (typeof s.query === 'object' && s.query ? JSON.stringify(s.query) : undefined),
  columns: texts(s.columns),
  view: text(s.view),
  sort: text(s.sort),
  cursor: text(s.cursor),
  register: flag(s.register),
})

export type EntitySearch = {
  tab?: string
  environment?: string
  page?: string
  pipeline?: string
  workload?: string
  window?: string
}
export const entitySearch = (s: Raw): EntitySearch => ({
  tab: text(s.tab),
  environment: text(s.environment),
  page: text(s.page),
  pipeline: text(s.pipeline),
  workload: text(s.workload),
  window: text(s.window),
})

export type ProblemsSearch = { code?: string; ref?: string; source?: string }
export const problemsSearch = (s: Raw): ProblemsSearch => ({ code: text(s.code), ref: text(s.ref), source: text(s.source) })

export const GRAPH_DEPTH = 2
export type GraphSearch = {
  entity?: string
  depth?: number
  side?: 'out' | 'in'
  view?: 'graph' | 'list'
  hide?: string[]
  open?: string[]
}
export const graphSearch = (s: Raw): GraphSearch => ({
  entity: text(s.entity),
  depth: Math.min(5, Math.max(1, Math.floor(Number(s.depth)))) || undefined,
  side: s.side === 'out' || s.side === 'in' ? s.side : undefined,
  view: s.view === 'graph' || s.view === 'list' ? s.view : undefined,
  hide: texts(s.hide),
  open: texts(s.open),
})

export type SourcesSearch = { source?: string; q?: string }
export const sourcesSearch = (s: Raw): SourcesSearch => ({ source: text(s.source), q: text(s.q) })

export type MatrixSearch = { q?: string; service?: string; deploy?: string; rollback?: string; release?: string; remove?: string }
export const matrixSearch = (s: Raw): MatrixSearch => ({
  q: text(s.q),
  service: text(s.service),
  deploy: text(s.deploy),
  rollback: text(s.rollback),
  release: text(s.release),
  remove: text(s.remove),
})

/** `upgrade` is the service whose upgrade is looked at. */
export type UpgradesSearch = { state?: string; template?: string; upgrade?: string }
export const upgradesSearch = (s: Raw): UpgradesSearch => ({
  state: text(s.state),
  template: text(s.template),
  upgrade: text(s.upgrade),
})

/** `template` is namespace/name; `as=new` begins another one from it. */
export type EditorSearch = { template?: string; as?: 'new'; file?: string; show?: 'result' | 'changes' }
export const editorSearch = (s: Raw): EditorSearch => ({
  template: text(s.template),
  as: s.as === 'new' ? 'new' : undefined,
  file: text(s.file),
  show: s.show === 'result' || s.show === 'changes' ? s.show : undefined,
})
