import { Button, Kbd, TextInput } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { BookmarkX, ChevronLeft, ChevronRight, Plus, Search, X } from 'lucide-react'
import { type ComponentProps, useEffect, useMemo, useRef } from 'react'
import { asApiError } from '~/api/errors'
import { entitiesQuery, facetsQuery, kindsQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import type { View } from '~/api/types'
import { viewQuery, viewsQuery } from '~/api/views'
import { ErrorState, Skeletons } from '~/components/RouteStates'
import type { CatalogSearch } from '~/routes'
import { FacetFilter } from '~/ui/FacetFilter'
import { Cli, EmptyState } from '~/ui/parts'
import { count } from '~/ui/time'
import ui from '~/ui/ui.module.css'
import { useTyped } from '~/ui/useTyped'
import {
  FACETS,
  FACET_NAMES,
  type Facet,
  filterOf,
  hasFacet,
  isCommon,
  isPlain,
  orderOf,
  predicateOf,
  stateOf,
} from './catalog-filter'
import s from './catalog.module.css'
import { CatalogTable } from './CatalogTable'
import { ColumnPicker } from './ColumnPicker'
import { columnsOf, fieldsOf } from './columns'
import { RegisterDrawer } from './RegisterDrawer'
import { ViewMenu } from './views/ViewMenu'

const route = getRouteApi('/app/catalog')
/** Tabs in this order, then the kinds that entities declare; what only the platform itself reads comes last. */
const FIRST = ['component', 'api', 'resource', 'system', 'domain', 'group', 'user', 'template', 'environment']
const HIDDEN = ['location', 'recipe', 'environmenttype']
const placeOf = (k: { name: string; shipped: boolean }) => {
  const at = FIRST.indexOf(k.name.toLowerCase())
  return at >= 0 ? at : k.shipped ? 200 : 100
}
const LABELS: Record<Facet, string> = { type: 'Type', owner: 'Owner', lifecycle: 'Lifecycle', tag: 'Tag' }
const PAGE = 50
const NO_VIEW = 'none'

/** Its own state, once the view that the address names, or the one that it opens with, is written out in it. */
export function CatalogPage() {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const views = useQuery(viewsQuery())
  const bare = Object.entries(search).every(([key, value]) => value === undefined || key === 'view' || key === 'register')
  const asked = search.view === NO_VIEW ? undefined : search.view
  const listed = views.data?.items.find((v) => v.id === asked || v.name === asked)
  const alone = useQuery({ ...viewQuery(asked ?? ''), enabled: asked !== undefined && !views.isPending && !listed })
  const view = listed ?? alone.data
  const opens = search.view ? view : views.data?.items.find((v) => v.is_default)
  const expands = bare && opens !== undefined && (search.view !== opens.id || !isPlain(opens))
  useEffect(() => {
    if (expands) void nav({ search: (o) => ({ register: o.register, ...stateOf(opens) }), replace: true })
  }, [expands, opens, nav])
  if (bare && asked && alone.error) return <NoView error={alone.error} retry={() => void alone.refetch()} />
  if (bare && search.view !== NO_VIEW && (views.isPending || expands || (asked && !view))) return <Waiting />
  return <Catalog view={view} views={views} />
}

const Waiting = () => (
  <div style={{ padding: '12px 28px' }}>
    <h1 className={s.sr}>Catalog</h1>
    <Skeletons rows={12} height={40} />
  </div>
)

/** A link to a view that is gone, or that somebody else keeps to themselves: both look the same. */
function NoView({ error, retry }: { error: unknown; retry: () => void }) {
  if (asApiError(error).status !== 404) return <ErrorState error={error} retry={retry} page />
  return (
    <EmptyState page icon={BookmarkX} title="You cannot see this view" action={<Button component={Link} to="/catalog?view=none">Show everything</Button>}>
      It was removed, or whoever sent you the link has not shared it. Ask them to share it, or for the long address of the table.
    </EmptyState>
  ) // prettier-ignore
}

type CatalogProps = { view: View | undefined; views: ComponentProps<typeof ViewMenu>['views'] }
function Catalog({ view, views }: CatalogProps) {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const box = useRef<HTMLInputElement>(null)
  const set = (p: Partial<CatalogSearch>, replace = true) =>
    void nav({ search: (o) => ({ ...o, cursor: undefined, ...p }), replace })
  // Back leads to the page and the kind before; what narrows a table is no step of its own
  const step = (p: Partial<CatalogSearch>) => set(p, false)
  const [typed, type, put] = useTyped({ kept: search.q, keep: (q) => set({ q }) })
  useHotkeys([['/', () => box.current?.focus()]])
  const { data: known, isPending: asksKinds } = useQuery(kindsQuery())
  const kind = known?.items.find((k) => k.name.toLowerCase() === search.kind)
  const columns = useMemo(() => columnsOf(kind, search.columns), [kind, search.columns])
  const page = useQuery({
    ...entitiesQuery({
      filter: filterOf(search),
      query: predicateOf(search),
      text: search.q,
      limit: PAGE,
      cursor: search.cursor,
      order: orderOf(search.sort),
      fields: fieldsOf(columns),
    }),
    enabled: !asksKinds || !search.kind,
  })
  const kinds = useQuery(facetsQuery(['kind'], []))
  const tabs = [...(known?.items ?? [])]
    .filter((k) => !HIDDEN.includes(k.name.toLowerCase()))
    .sort((a, b) => placeOf(a) - placeOf(b))
  const strip = useRef<HTMLDivElement>(null)
  const seen = tabs.length > 0 && kinds.data !== undefined
  useEffect(() => {
    // the strip scrolls: with many kinds the chosen one may lie outside of it
    if (seen) strip.current?.querySelector('[aria-pressed=true]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [search.kind, seen])
  const kindCount = (k: string) => kinds.data?.facets.kind?.find((f) => f.value.toLowerCase() === k)?.count
  const dirty = Boolean(search.q ?? search.query ?? search.filter) || FACET_NAMES.some((f) => search[f]?.length)
  const clear = () => {
    put('')
    set({
      q: undefined,
      type: undefined,
      owner: undefined,
      lifecycle: undefined,
      tag: undefined,
      filter: undefined,
      query: undefined,
    })
  }
  // another kind has other types and other columns
  const change = (k: string | undefined) =>
    step({ kind: k, type: undefined, columns: undefined, sort: isCommon(search.sort) ? search.sort : undefined })
  const pick = (v: View | undefined) => {
    put(v?.text ?? '')
    void nav({ search: v ? stateOf(v) : { view: NO_VIEW } })
  }
  const own = (owner: string[]) => {
    put('')
    void nav({ search: { view: NO_VIEW, owner } })
  }
  const total = kinds.data?.facets.kind?.reduce((n, f) => n + f.count, 0)
  return (
    <div className={s.page}>
      <h1 className={s.sr}>Catalog</h1>
      <div className={s.tabs}>
        <div ref={strip} role="group" aria-label="Kind" className={s.kinds}>
          <button type="button" aria-pressed={!search.kind} className={s.tab} onClick={() => change(undefined)}>
            All <span className="num">{total === undefined ? '' : count(total)}</span>
          </button>
          {tabs
            .map((k) => [k.name.toLowerCase(), k.plural] as const)
            .filter(([k]) => kindCount(k) || search.kind === k)
            .map(([k, label]) => (
              <button key={k} type="button" aria-pressed={search.kind === k} className={s.tab} onClick={() => change(k)}>
                {label} <span className="num">{count(kindCount(k) ?? 0)}</span>
              </button>
            ))}
        </div>
        <div className={s.new}>
          <Button size="xs" variant="subtle" color="gray" component={Link} to="/catalog/sources">Sources</Button>
          <Button size="xs" variant="default" onClick={() => set({ register: true })}>Register</Button>
          <Button size="xs" component={Link} to="/catalog/add" leftSection={<Plus size={14} />}>Add entity</Button>
        </div>
      </div>
      <div className={s.bar}>
        <ViewMenu search={search} views={views} view={view} onPick={pick} onOwn={own} />
        <TextInput
          ref={box}
          w={230}
          placeholder="Filter"
          aria-label="Filter entities"
          leftSection={<Search size={14} />}
          rightSection={<Kbd>/</Kbd>}
          value={typed}
          onChange={(e) => type(e.currentTarget.value)}
          styles={{ input: { height: 28, minHeight: 28 } }}
        />
        {FACET_NAMES.filter((f) => search[f] || hasFacet(kind, f)).map((f) => (
          <FacetPill key={f} facet={f} search={search} onChange={(v) => set({ [f]: v.length ? v : undefined })} />
        ))}
        {search.filter && <Raw label="Filter" text={search.filter.join(' or ')} onClear={() => set({ filter: undefined })} />}
        {search.query && <Raw label="Query" text={search.query} onClear={() => set({ query: undefined })} />}
        {dirty && (
          <Button size="xs" variant="subtle" color="gray" onClick={clear}>
            Clear
          </Button>
        )}
        <span style={{ flex: 1 }} />
        <ColumnPicker kind={kind} chosen={search.columns} onChange={(c) => set({ columns: c, cursor: search.cursor })} />
        <span className="t3 num" role="status">
          {page.data ? `${count(page.data.totalItems)}${total !== undefined ? ` of ${count(total)}` : ''}` : ''}
        </span>
      </div>
      {page.error && !page.data ? (
        <ErrorState error={page.error} retry={() => void page.refetch()} />
      ) : !page.data ? (
        <div style={{ padding: '12px 28px' }}>
          <Skeletons rows={12} height={40} />
        </div>
      ) : page.data.items.length ? (
        <CatalogTable key={search.cursor} columns={columns} rows={page.data.items} total={page.data.totalItems} stale={page.isPlaceholderData} sort={search.sort} onSort={(sort) => set({ sort })} />
      ) : dirty || search.kind ? (
        <EmptyState icon={Search} title="Nothing matches these filters" action={<Button variant="default" onClick={clear}>Clear filters</Button>}>
          Loosen a filter, or register what is missing.
        </EmptyState>
      ) : (
        <EmptyState icon={Plus} title="The catalog is empty" action={<Button onClick={() => set({ register: true })}>Register</Button>}>
          Services, APIs, resources and teams belong here. By command: <Cli>taxiway catalog register FILE</Cli>
        </EmptyState>
      )}
      {page.data && (page.data.pageInfo.nextCursor || page.data.pageInfo.prevCursor) && (
        <nav className={s.pager} aria-label="Pages">
          <Button size="xs" variant="default" leftSection={<ChevronLeft size={14} />} disabled={!page.data.pageInfo.prevCursor} onClick={() => step({ cursor: page.data.pageInfo.prevCursor ?? undefined })}>
            Back
          </Button>
          <Button size="xs" variant="default" rightSection={<ChevronRight size={14} />} disabled={!page.data.pageInfo.nextCursor} onClick={() => step({ cursor: page.data.pageInfo.nextCursor ?? undefined })}>
            More
          </Button>
        </nav>
      )}
      <RegisterDrawer opened={Boolean(search.register)} onClose={() => set({ register: undefined })} />
    </div>
  ) // prettier-ignore
}

/** What a view filters by and no pill can say. */
function Raw({ label, text, onClear }: { label: string; text: string; onClear: () => void }) {
  return (
    <span className={s.raw} title={`${label}: ${text}`}>
      <span className="trunc">{text}</span>
      <button type="button" className={ui.filterX} style={{ flex: 'none' }} aria-label={`Clear the ${label.toLowerCase()} ${text}`} onClick={onClear}>
        <X size={13} aria-hidden />
      </button>
    </span>
  ) // prettier-ignore
}

/** Counts ignore the facet's own choice, so that its alternatives stay visible. */
function FacetPill({ facet, search, onChange }: { facet: Facet; search: CatalogSearch; onChange: (v: string[]) => void }) {
  const key = FACETS[facet]
  const { data } = useQuery(facetsQuery([key], filterOf(search, facet), predicateOf(search, facet)))
  const options = (data?.facets[key] ?? [])
    .map((o) => ({ ...o, label: facet === 'owner' ? shortRef(o.value) : o.value }))
    .sort((a, b) => b.count - a.count)
  return <FacetFilter label={LABELS[facet]} options={options} value={search[facet] ?? []} onChange={onChange} />
}
