import { ActionIcon, Button, Menu, Spoiler, Tabs, Tooltip } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useMutation, useQuery, useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ChevronDown, EllipsisVertical, ExternalLink, GitBranch, Pencil, RefreshCw, Rocket, Trash2, Unlink } from 'lucide-react'
import { type ComponentType, lazy, Suspense, useState } from 'react'
import { schedulesQuery } from '~/api/job-queries'
import { deleteEntity, refreshEntity } from '~/api/mutations'
import { entityQuery, matrixQuery, releasesQuery } from '~/api/queries'
import { entityRef, titleOf } from '~/api/refs'
import type { Entity } from '~/api/types'
import { DestroyModal } from '~/components/DestroyModal'
import { EntityLink } from '~/components/EntityLink'
import { notifyDone, notifyError } from '~/components/notify'
import { Skeletons, useRefresh } from '~/components/RouteStates'
import { KindIcon } from '~/ui/KindIcon'
import { Page } from '~/ui/parts'
import { StatusBadge, toneOf } from '~/ui/Status'
import { count } from '~/ui/time'
import { EntityActions } from './EntityActions'
import s from './entity.module.css'
import OverviewTab from './OverviewTab'
import { UnregisterEntityModal } from './UnregisterModal'

export type TabProps = { entity: Entity; entityRef: string }
const route = getRouteApi('/app/catalog/$kind/$namespace/$name')
const tab = (load: () => Promise<{ default: ComponentType<TabProps> }>) => lazy(load)
const ORPHAN = 'backstage.io/orphan'
type Needs = 'any' | 'component' | 'runs'
const TABS: [id: string, label: string, Component: ComponentType<TabProps>, needs: Needs][] = [
  ['overview', 'Overview', OverviewTab, 'any'],
  ['deployments', 'Deployments', tab(() => import('./DeploymentsTab')), 'runs'],
  ['pipelines', 'Pipelines', tab(() => import('./PipelinesTab')), 'component'],
  ['jobs', 'Jobs', tab(() => import('./JobsTab')), 'runs'],
  ['logs', 'Logs', tab(() => import('./LogsTab')), 'runs'],
  ['metrics', 'Metrics', tab(() => import('./MetricsTab')), 'runs'],
  ['docs', 'Docs', tab(() => import('./DocsTab')), 'any'],
  ['api', 'API', tab(() => import('./api/ApiTab')), 'any'],
  ['definition', 'Definition', tab(() => import('./DefinitionTab')), 'any'],
  ['history', 'History', tab(() => import('./HistoryTab')), 'any'],
]

/** Tabs that could never have content are left out: only components are deployed, of them only those that have releases
 * (a Terraform module has none), and what runs on a schedule has jobs with logs of their own where others have a log and
 * metrics. What is only described, without a repository of the forge, is not built here. */
export const tabsFor = (kind: string, { scheduled = false, runs = true, built = true } = {}) =>
  TABS.filter(
    ([id, , , needs]) =>
      (needs === 'any' || kind.toLowerCase() === 'component') &&
      (needs !== 'runs' || runs) &&
      (id !== 'pipelines' || built) &&
      (id !== 'api' || kind.toLowerCase() === 'api') &&
      (scheduled ? id !== 'logs' && id !== 'metrics' : id !== 'jobs'),
  )

export function EntityPage() {
  const params = route.useParams()
  const search = route.useSearch()
  const nav = route.useNavigate()
  const { data: e } = useSuspenseQuery(entityQuery(params))
  const refresh = useRefresh()
  const [destroying, setDestroying] = useState(false)
  const [unregistering, setUnregistering] = useState(false)
  const leave = () => void nav({ to: '/catalog' })
  const self = entityRef(e)
  const component = e.kind.toLowerCase() === 'component'
  const schedules = useQuery({ ...schedulesQuery({ service: self }), enabled: component, retry: false })
  const scheduled = schedules.data ? schedules.data.items.length > 0 : search.tab === 'jobs'
  const spec = (e.spec ?? {}) as Record<string, string | undefined>
  const matrix = useQuery({ ...matrixQuery(), enabled: component, retry: false })
  const repository = e.metadata.annotations?.['taxiway.dev/repository']
  const releases = useQuery({
    ...releasesQuery(self),
    enabled: component && Boolean(repository),
    retry: false,
    refetchInterval: ({ state }) => (state.data?.items.length ? false : 10_000),
  })
  const row = matrix.data?.services.find((x) => x.ref === self)
  const asked = TABS.some(([id, , , needs]) => id === search.tab && needs !== 'any')
  const built = repository !== undefined || Boolean(row) || (matrix.isPending && asked)
  const runs = built && (!matrix.data || !releases.data || Boolean(row) || releases.data.items.length > 0)
  const live = Object.values(row?.cells ?? {}).find((c) => c?.url)?.url
  const tabs = tabsFor(e.kind, { scheduled, runs, built })
  const current = tabs.find(([id]) => id === search.tab) ?? tabs[0]
  const go = (id: string) => void nav({ search: { tab: id === 'overview' ? undefined : id } })
  const move = (by: number) => {
    const next = tabs[tabs.findIndex(([id]) => id === current?.[0]) + by]
    if (next) go(next[0])
  }
  useHotkeys([['[', () => move(-1)], [']', () => move(1)], ['l', () => component && runs && go(scheduled ? 'jobs' : 'logs')]]) // prettier-ignore
  const again = useMutation({
    mutationFn: () => refreshEntity(self),
    onSuccess: async () => {
      notifyDone('Read again from its source')
      await refresh('entity', 'graph')
    },
    onError: (err) => notifyError('The entity could not be refreshed', err),
  })
  const owner = e.relations?.find((r) => r.type === 'ownedBy')?.targetRef ?? spec.owner
  const system = e.relations?.find((r) => r.type === 'partOf' && r.targetRef.startsWith('system:'))?.targetRef
  return (
    <Page>
      <header className={s.head}>
        <KindIcon kind={e.kind} size={44} />
        <div style={{ flex: 1, minWidth: 0 }}>
          <div className={s.h1}>
            <h1>{titleOf(e)}</h1>
            {spec.lifecycle && <StatusBadge tone={toneOf(spec.lifecycle)}>{spec.lifecycle}</StatusBadge>}
            {spec.type && <span className={s.tag}>{spec.type}</span>}
          </div>
          {e.metadata.description && (
            <Spoiler maxHeight={57} showLabel="Show all of it" hideLabel="Show less" className={s.about}>{e.metadata.description}</Spoiler>
          )}
          <div className={s.meta}>
            {owner && <EntityLink entity={owner} defaultKind="group" size={16} />}
            {system && <EntityLink entity={system} size={16} />}
            {repository && <span className="t2"><GitBranch size={14} aria-hidden /> {repository}</span>}
            <span className="t3 mono">{self}</span>
            <Tags of={e.metadata.tags ?? []} />
          </div>
        </div>
        <div className={s.actions}>
          {live && <Button component="a" href={live} target="_blank" rel="noreferrer" variant="default" leftSection={<ExternalLink size={14} />}>Open</Button>}
          {component && runs && (
            <Button component={Link} to={`/environments?service=${encodeURIComponent(self)}`} leftSection={<Rocket size={15} />}>Deploy</Button>
          )}
          <EntityActions parts={params} entityRef={self} />
          {e.kind.toLowerCase() === 'template' && (
            <Button component={Link} to={`/create/${params.namespace}/${params.name}`} leftSection={<Rocket size={15} />}>Use this path</Button>
          )}
          <Button component={Link} to={`/catalog/${params.kind}/${params.namespace}/${params.name}/edit`} variant="default" leftSection={<Pencil size={14} />}>Edit</Button>
          <Menu position="bottom-end">
            <Menu.Target>
              <Tooltip label="More">
                <ActionIcon aria-label="More actions" variant="default" size={32}><EllipsisVertical size={16} /></ActionIcon>
              </Tooltip>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<RefreshCw size={15} />} onClick={() => again.mutate()}>Read again from its source</Menu.Item>
              <Menu.Item leftSection={<Unlink size={15} />} onClick={() => setUnregistering(true)}>Unregister its source…</Menu.Item>
              {component && runs && <Menu.Item leftSection={<Trash2 size={15} />} color="red" onClick={() => setDestroying(true)}>Delete the service</Menu.Item>}
            </Menu.Dropdown>
          </Menu>
        </div>
      </header>
      <Problems entity={e} />
      {e.metadata.annotations?.[ORPHAN] === 'true' && <Orphan entity={e} onGone={leave} />}
      <Tabs value={current?.[0]} onChange={(v) => v && go(v)} keepMounted={false}>
        <Tabs.List className={s.tabList}>
          {tabs.map(([id, label]) => <Tabs.Tab key={id} value={id}>{label}</Tabs.Tab>)}
        </Tabs.List>
        {tabs.map(([id, , Content]) => (
          <Tabs.Panel key={id} value={id} pt={14}>
            <Suspense fallback={<Skeletons rows={6} />}><Content entity={e} entityRef={self} /></Suspense>
          </Tabs.Panel>
        ))}
      </Tabs>
      {unregistering && <UnregisterEntityModal entity={params} onClose={() => setUnregistering(false)} onDone={leave} />}
      {component && <DestroyModal opened={destroying} onClose={() => setDestroying(false)} entityRef={self} />}
    </Page>
  ) // prettier-ignore
}

const FEW = 12
function Tags({ of }: { of: string[] }) {
  const [all, setAll] = useState(false)
  const shown = all ? of : of.slice(0, FEW)
  if (!of.length) return null
  return (
    <span className={s.tags}>
      {shown.map((t) => <Link key={t} to="/catalog" search={{ tag: [t] }} className={s.tag} title={`Everything with the tag ${t}`}>{t}</Link>)}
      {shown.length < of.length && <button type="button" className={s.link} onClick={() => setAll(true)}>{count(of.length - shown.length)} more tags</button>}
    </span>
  ) // prettier-ignore
}

/** No source names it any more: it goes by itself after some days, or now. */
function Orphan({ entity, onGone }: { entity: Entity; onGone: () => void }) {
  const refresh = useRefresh()
  const remove = useMutation({
    mutationFn: () => deleteEntity(entity.metadata.uid ?? ''),
    onSuccess: async () => {
      notifyDone('Removed', 'Its history stays.')
      onGone()
      await refresh('entities', 'facets', 'kinds', 'sources')
    },
    onError: (err) => notifyError('It could not be removed', err),
  })
  return (
    <div className={s.problems} role="note">
      <span>
        <strong>An orphan:</strong> its source does not name it any more. It goes after some days, unless a source names it again.
      </span>{' '}
      <button type="button" className={s.link} disabled={remove.isPending} onClick={() => remove.mutate()}>Remove it now</button>
    </div>
  ) // prettier-ignore
}

function Problems({ entity }: { entity: Entity }) {
  const items = entity.status?.items?.filter((i) => i.level === 'error' || i.level === 'warning') ?? []
  if (!items.length) return null
  return (
    <details className={s.problems} open={items.length < 3}>
      <summary>
        <ChevronDown size={14} aria-hidden /> {items.length} {items.length === 1 ? 'problem' : 'problems'} in its definition
      </summary>
      <ul>
        {items.map((i, n) => (
          <li key={n}>{i.message}</li>
        ))}
      </ul>
      <Link to="/catalog/problems" search={{ ref: entityRef(entity) }} className={s.link}>
        Its problems, with what to do
      </Link>
    </details>
  )
}
