import { Button } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { GitPullRequestArrow, Rocket } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { goldenPathsQuery, makingPaths } from '~/api/golden-paths'
import { goldenServicesQuery, templatesQuery } from '~/api/queries'
import { entityRef, shortRef, titleOf } from '~/api/refs'
import type { GoldenService } from '~/api/types'
import { EntityLink } from '~/components/EntityLink'
import { Await } from '~/components/RouteStates'
import { DataTable } from '~/ui/DataTable'
import { FacetFilter } from '~/ui/FacetFilter'
import { Ago, Cli, EmptyState, Page, PageHeader } from '~/ui/parts'
import { Adoptions } from './Adoptions'
import s from './upgrades.module.css'
import { Wizards } from './Wizards'
import { UPGRADE_STATES, UpgradeBadge, upgradeTitle } from '~/components/UpgradeState'

const FleetModal = lazy(() => import('./FleetModal'))
const UpgradeDrawer = lazy(() => import('./UpgradeDrawer'))
const route = getRouteApi('/app/create/upgrades')

/** Services that golden paths made, those that lag behind first to see, and the upgrade of all of one path. */
export function UpgradesPage() {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const filter = { state: search.state, template: search.template, limit: 100 }
  const query = useInfiniteQuery({ ...goldenServicesQuery(filter), refetchInterval: 30_000 })
  const templates = useQuery({ ...templatesQuery(), retry: false })
  const figures = useQuery(goldenPathsQuery()).data
  const covered = figures?.coverage
  const [fleet, setFleet] = useState(false)
  const set = (p: Partial<typeof search>) => void nav({ search: (o) => ({ ...o, ...p }), replace: true })
  const paths = makingPaths(templates.data?.items ?? []).map((t) => ({ value: entityRef(t), label: titleOf(t) }))
  const filtered = Boolean(search.state || search.template)
  return (
    <Page>
      <PageHeader
        title="Services and upgrades"
        sub={`What golden paths made, and what lags behind them. A new version arrives as a pull request.${covered?.total ? ` ${covered.covered} of ${covered.total} services and websites are on a golden path.` : ''}`}
        right={<Button leftSection={<GitPullRequestArrow size={15} />} onClick={() => setFleet(true)}>Upgrade a fleet</Button>}
      />
      <div className={s.filters}>
        <FacetFilter label="State" value={search.state ? [search.state] : []} options={UPGRADE_STATES.map((value) => ({ value, label: upgradeTitle(value) }))} onChange={(v) => set({ state: v.at(-1) })} />
        <FacetFilter label="Golden path" value={search.template ? [search.template] : []} options={paths} onChange={(v) => set({ template: v.at(-1) })} />
      </div>
      <Await query={query} rows={8}>
        {({ pages }) => {
          const items = pages.flatMap((p) => p.items)
          if (!items.length && !query.hasNextPage)
            return filtered ? (
              <EmptyState icon={GitPullRequestArrow} title="No service matches these filters">Take a filter away to see more.</EmptyState>
            ) : (
              <EmptyState icon={Rocket} title="No golden path made a service yet" action={<Button component={Link} to="/create">Create one</Button>}>
                By command: <Cli>taxiway upgrade list</Cli>
              </EmptyState>
            )
          return (
            <div className={s.card}>
              <DataTable
                label="Services of golden paths"
                rows={items}
                rowKey={(x) => x.subject}
                columns={[
                  { title: 'Service', head: true, cell: (x) => <EntityLink entity={x.subject} /> },
                  { title: 'Golden path', cell: (x) => <EntityLink entity={x.template} /> },
                  { title: 'Owner', className: 't2', cell: (x) => (x.owner ? shortRef(x.owner) : '—') },
                  { title: 'State', cell: (x) => <UpgradeBadge state={x.state} /> },
                  { title: 'Version', className: 'mono t2', cell: (x) => x.version },
                  { title: 'Newest', className: 'mono t2', cell: (x) => (x.newest === x.version ? '—' : (x.newest ?? '—')) },
                  { title: 'Since', cell: (x) => <Ago at={x.upgraded_at ?? x.created_at} className="t2" /> },
                  { title: 'Action', silent: true, cell: (x) => <Action service={x} onUpgrade={() => set({ upgrade: x.subject })} /> },
                ]}
              />
            </div>
          )
        }}
      </Await>
      {query.hasNextPage && <Button variant="default" mt={12} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show more</Button>}
      {figures && <Wizards paths={figures.items} chosen={search.template} />}
      <Adoptions />
      {search.upgrade && <Suspense fallback={null}><UpgradeDrawer subject={search.upgrade} onClose={() => set({ upgrade: undefined })} /></Suspense>}
      {fleet && <Suspense fallback={null}><FleetModal paths={paths} chosen={search.template} onClose={() => setFleet(false)} /></Suspense>}
    </Page>
  ) // prettier-ignore
}

function Action({ service: x, onUpgrade }: { service: GoldenService; onUpgrade: () => void }) {
  if (x.state === 'behind' || x.state === 'declined')
    return <Button size="compact-xs" variant="default" aria-label={`Upgrade ${shortRef(x.subject)}`} onClick={onUpgrade}>Upgrade</Button>
  if (x.state === 'proposed' && x.pull !== null)
    return <Link className={s.link} to="/pulls/$repository/$number" params={{ repository: x.repository, number: String(x.pull) }}>{x.repository}#{x.pull}</Link>
  return null
} // prettier-ignore
