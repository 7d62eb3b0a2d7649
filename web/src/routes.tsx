/** The only route table. The URL is the state: search parameters are validated here, loaders prefetch what a page needs. */
import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import { asApiError } from './api/errors'
import {
  entityQuery,
  graphQuery,
  infoQuery,
  matrixQuery,
  meQuery,
  parameterSchemaQuery,
  pullQuery,
  runQuery,
  templatesQuery,
} from './api/queries'
import { splitRef } from './api/refs'
import { NotFound, RouteError, RoutePending } from './components/RouteStates'
import { type Crumb, Shell } from './components/Shell'
import { isSection, SECTIONS } from './features/settings/sections'
import { catalogSearch, editorSearch, entitySearch, GRAPH_DEPTH, graphSearch, matrixSearch, problemsSearch, sourcesSearch, type Raw, text, upgradesSearch } from './route-search' // prettier-ignore

export type {
  CatalogSearch,
  EditorSearch,
  EntitySearch,
  GraphSearch,
  MatrixSearch,
  ProblemsSearch,
  UpgradesSearch,
} from './route-search'

type Context = { queryClient: QueryClient }
const crumb = (f: (p: Record<string, string>) => Crumb[]) => ({ crumb: f })

const root = createRootRouteWithContext<Context>()({ component: Outlet, notFoundComponent: NotFound })

export type SignInSearch = { next?: string }
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (s: Raw): SignInSearch => ({ next: text(s.next) }),
  component: lazyRouteComponent(() => import('./features/access/SignInPage'), 'SignInPage'),
})

const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(meQuery())
    } catch (e) {
      if (asApiError(e).status === 401)
        throw redirect({ to: '/sign-in', search: { next: location.href === '/' ? undefined : location.href } })
      throw e
    }
    void context.queryClient.prefetchQuery(infoQuery())
  },
})

const home = createRoute({
  getParentRoute: () => app,
  path: '/',
  staticData: crumb(() => [['Home']]),
  component: lazyRouteComponent(() => import('./features/home/HomePage'), 'HomePage'),
})

const catalog = createRoute({
  getParentRoute: () => app,
  path: '/catalog',
  staticData: crumb(() => [['Catalog', '/catalog']]),
  validateSearch: catalogSearch,
  component: lazyRouteComponent(() => import('./features/catalog/CatalogPage'), 'CatalogPage'),
})

const entity = createRoute({
  getParentRoute: () => app,
  path: '/catalog/$kind/$namespace/$name',
  staticData: crumb((p) => [['Catalog', '/catalog'], [p.name ?? '']]),
  validateSearch: entitySearch,
  loader: ({ context, params }) => context.queryClient.ensureQueryData(entityQuery(params)),
  component: lazyRouteComponent(() => import('./features/catalog/EntityPage'), 'EntityPage'),
  errorComponent: lazyRouteComponent(() => import('./features/catalog/NoEntity'), 'NoEntity'),
})

const history = createRoute({
  getParentRoute: () => app,
  path: '/catalog/$kind/$namespace/$name/history',
  staticData: crumb((p) => [['Catalog', '/catalog'], [p.name ?? '', `/catalog/${p.kind}/${p.namespace}/${p.name}`], ['History']]),
  component: lazyRouteComponent(() => import('./features/catalog/HistoryPage'), 'HistoryPage'),
})

const edit = createRoute({
  getParentRoute: () => app,
  path: '/catalog/$kind/$namespace/$name/edit',
  staticData: crumb((p) => [['Catalog', '/catalog'], [p.name ?? '', `/catalog/${p.kind}/${p.namespace}/${p.name}`], ['Edit']]),
  validateSearch: (s: Raw): { as?: 'yaml' } => ({ as: s.as === 'yaml' ? 'yaml' : undefined }),
  component: lazyRouteComponent(() => import('./features/catalog/edit/EditPage'), 'EditPage'),
})
const add = createRoute({
  getParentRoute: () => app,
  path: '/catalog/add',
  staticData: crumb(() => [['Catalog', '/catalog'], ['Add']]),
  validateSearch: (s: Raw): { kind?: string; repository?: string } => ({ kind: text(s.kind), repository: text(s.repository) }),
  component: lazyRouteComponent(() => import('./features/catalog/edit/AddPage'), 'AddPage'),
})

export type OnboardSearch = { status?: string; q?: string }
const onboard = createRoute({
  getParentRoute: () => app,
  path: '/catalog/onboard',
  staticData: crumb(() => [['Catalog', '/catalog'], ['Onboard']]),
  validateSearch: (s: Raw): OnboardSearch => ({ status: text(s.status), q: text(s.q) }),
  component: lazyRouteComponent(() => import('./features/catalog/onboard/OnboardPage'), 'OnboardPage'),
})

const problems = createRoute({
  getParentRoute: () => app,
  path: '/catalog/problems',
  staticData: crumb(() => [['Catalog', '/catalog'], ['Problems']]),
  validateSearch: problemsSearch,
  component: lazyRouteComponent(() => import('./features/catalog/ProblemsPage'), 'ProblemsPage'),
})

const sources = createRoute({
  getParentRoute: () => app,
  path: '/catalog/sources',
  staticData: crumb(() => [['Catalog', '/catalog'], ['Sources']]),
  validateSearch: sourcesSearch,
  component: lazyRouteComponent(() => import('./features/catalog/SourcesPage'), 'SourcesPage'),
})
const graph = createRoute({
  getParentRoute: () => app,
  path: '/catalog/graph',
  staticData: crumb(() => [['Catalog', '/catalog'], ['Relations']]),
  validateSearch: graphSearch,
  loaderDeps: ({ search }) => ({ entity: search.entity, depth: search.depth ?? GRAPH_DEPTH }),
  loader: ({ context, deps: { entity, depth } }) =>
    void (entity && context.queryClient.prefetchQuery(graphQuery(splitRef(entity), depth))), // the page shows how that went
  component: lazyRouteComponent(() => import('./features/catalog/GraphPage'), 'GraphPage'),
})

const create = createRoute({
  getParentRoute: () => app,
  path: '/create',
  staticData: crumb(() => [['Create', '/create']]),
  loader: ({ context }) => context.queryClient.ensureQueryData(templatesQuery()),
  component: lazyRouteComponent(() => import('./features/scaffolder/TemplatesPage'), 'TemplatesPage'),
})
export type SearchSearch = { q?: string; type?: string; page?: string }
const search = createRoute({
  getParentRoute: () => app,
  path: '/search',
  staticData: crumb(() => [['Search']]),
  validateSearch: (s: Raw): SearchSearch => ({ q: text(s.q), type: text(s.type), page: text(s.page) }),
  component: lazyRouteComponent(() => import('./features/search/SearchPage'), 'SearchPage'),
})
const upgrades = createRoute({
  getParentRoute: () => app,
  path: '/create/upgrades',
  staticData: crumb(() => [['Create', '/create'], ['Services']]),
  validateSearch: upgradesSearch,
  component: lazyRouteComponent(() => import('./features/scaffolder/UpgradesPage'), 'UpgradesPage'),
})
const editor = createRoute({
  getParentRoute: () => app,
  path: '/create/editor',
  staticData: crumb(() => [
    ['Create', '/create'],
    ['Template editor', '/create/editor'],
  ]),
  validateSearch: editorSearch,
  component: lazyRouteComponent(() => import('./features/scaffolder/editor/EditorPage'), 'EditorPage'),
})
/** `formData` is JSON, as in Backstage's links; the router may have read it already. */
export type WizardSearch = { step?: number; formData?: string; draft?: string }
const wizardSearch = (s: Raw): WizardSearch => ({
  step: Number(s.step) || undefined,
  draft: text(s.draft),
  formData: typeof s.formData === 'object' && s.formData ? JSON.stringify(s.formData) : text(s.formData),
})
const wizard = createRoute({
  getParentRoute: () => app,
  path: '/create/$namespace/$name',
  staticData: crumb((p) => [['Create', '/create'], [p.name ?? '']]),
  validateSearch: wizardSearch,
  loader: ({ context, params }) => context.queryClient.ensureQueryData(parameterSchemaQuery(params.namespace, params.name)),
  component: lazyRouteComponent(() => import('./features/scaffolder/WizardPage'), 'WizardPage'),
})

const environments = createRoute({
  getParentRoute: () => app,
  path: '/environments',
  staticData: crumb(() => [['Environments']]),
  validateSearch: matrixSearch,
  loader: ({ context }) => context.queryClient.ensureQueryData(matrixQuery()),
  component: lazyRouteComponent(() => import('./features/environments/MatrixPage'), 'MatrixPage'),
})

export type PullsSearch = { repository?: string; state?: string; author?: string }
const pulls = createRoute({
  getParentRoute: () => app,
  path: '/pulls',
  staticData: crumb(() => [['Pull requests', '/pulls']]),
  validateSearch: (s: Raw): PullsSearch => ({ repository: text(s.repository), state: text(s.state), author: text(s.author) }),
  component: lazyRouteComponent(() => import('./features/pulls/PullsPage'), 'PullsPage'),
})
const pull = createRoute({
  getParentRoute: () => app,
  path: '/pulls/$repository/$number',
  staticData: crumb((p) => [['Pull requests', '/pulls'], [`${p.repository}#${p.number}`]]),
  validateSearch: (s: Raw): { tab?: string } => ({ tab: text(s.tab) }),
  loader: ({ context, params }) => context.queryClient.ensureQueryData(pullQuery(params.repository, params.number)),
  component: lazyRouteComponent(() => import('./features/pulls/PullPage'), 'PullPage'),
})

/** `logs` is looked for in the logs of all runs, in place of their list. */
export type RunsSearch = { state?: string; kind?: string; subject?: string; logs?: string }
const runs = createRoute({
  getParentRoute: () => app,
  path: '/runs',
  staticData: crumb(() => [['Runs', '/runs']]),
  validateSearch: (s: Raw): RunsSearch => ({
    state: text(s.state),
    kind: text(s.kind),
    subject: text(s.subject),
    logs: text(s.logs),
  }),
  component: lazyRouteComponent(() => import('./features/runs/RunsPage'), 'RunsPage'),
})
const run = createRoute({
  getParentRoute: () => app,
  path: '/runs/$id',
  staticData: crumb((p) => [['Runs', '/runs'], [(p.id ?? '').slice(0, 13)]]),
  validateSearch: (s: Raw): { step?: string; tab?: string } => ({ step: text(s.step), tab: text(s.tab) }),
  loader: ({ context, params }) => context.queryClient.ensureQueryData(runQuery(params.id)),
  component: lazyRouteComponent(() => import('./features/runs/RunPage'), 'RunPage'),
})

const settings = createRoute({
  getParentRoute: () => app,
  path: '/settings/{-$section}',
  staticData: crumb((p) => [
    ['Settings', '/settings'],
    ...(p.section ? [[isSection(p.section) ? SECTIONS[p.section] : p.section] as Crumb] : []),
  ]),
  validateSearch: (s: Raw): { type?: string; subject?: string } => ({ type: text(s.type), subject: text(s.subject) }),
  beforeLoad: ({ params: { section } }) => {
    if (section === 'sources') throw redirect({ to: '/catalog/sources' }) // where they were before
  },
  component: lazyRouteComponent(() => import('./features/settings/SettingsPage'), 'SettingsPage'),
})
const plugin = createRoute({
  getParentRoute: () => app,
  path: '/x/$page',
  staticData: crumb((p) => [['Plugins'], [p.page ?? '']]),
  component: lazyRouteComponent(() => import('./features/plugins/PluginPage'), 'PluginPage'),
})

const nowhere = createRoute({
  getParentRoute: () => app,
  path: '$',
  staticData: crumb(() => [['Not found']]),
  component: NotFound,
})

const routeTree = root.addChildren([
  signIn,
  app.addChildren([
    home,
    catalog,
    problems,
    sources,
    graph,
    entity,
    history,
    edit,
    add,
    onboard,
    create,
    upgrades,
    editor,
    wizard,
    environments,
    pulls,
    pull,
    runs,
    run,
    search,
    settings,
    plugin,
    nowhere,
  ]),
])

export const makeRouter = (queryClient: QueryClient) =>
  createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    defaultPendingMs: 150,
    defaultPendingComponent: RoutePending,
    defaultErrorComponent: RouteError,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
    scrollToTopSelectors: ['#main'],
  })

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
