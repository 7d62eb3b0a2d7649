import { Button } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { GitPullRequest } from 'lucide-react'
import { meQuery, pullsQuery, repositoriesQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import { Await } from '~/components/RouteStates'
import { DataTable } from '~/ui/DataTable'
import { FacetFilter } from '~/ui/FacetFilter'
import { Ago, Cli, EmptyState, Page, PageHeader } from '~/ui/parts'
import { PullBadge, PullIcon } from './PullState'
import s from './pulls.module.css'

const route = getRouteApi('/app/pulls')
const STATES = ['open', 'merged', 'closed']
/** What is open is shown without being asked for. */
const stateOf = (chosen: string[]) => (chosen.at(-1) === 'open' ? undefined : (chosen.at(-1) ?? 'all'))

export function PullsPage() {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const state = search.state ?? 'open'
  const filter = { ...search, state: state === 'all' ? undefined : state, limit: 50 }
  const query = useInfiniteQuery({ ...pullsQuery(filter), refetchInterval: 10_000 })
  const { data: me } = useQuery(meQuery())
  const { data: repositories } = useQuery({ ...repositoriesQuery(), retry: false })
  const set = (p: Partial<typeof search>) => void nav({ search: (o) => ({ ...o, ...p }), replace: true })
  const names = [
    ...new Set([...(search.repository ? [search.repository] : []), ...(repositories?.items ?? []).map((r) => r.name)]),
  ]
  const authors = [...new Set([...(search.author ? [search.author] : []), ...(me ? [me.ref] : [])])]
  return (
    <Page>
      <PageHeader title="Pull requests" sub="Proposed changes: what they change, who looked at them, and what keeps them from being merged." />
      <div className={s.filters}>
        <FacetFilter label="State" value={state === 'all' ? [] : [state]} options={STATES.map((value) => ({ value, label: value }))} onChange={(v) => set({ state: stateOf(v) })} />
        <FacetFilter label="Repository" value={search.repository ? [search.repository] : []} options={names.map((value) => ({ value, label: value }))} onChange={(v) => set({ repository: v.at(-1) })} />
        <FacetFilter label="Author" value={search.author ? [search.author] : []} options={authors.map((value) => ({ value, label: value === me?.ref ? `${shortRef(value)} (you)` : shortRef(value) }))} onChange={(v) => set({ author: v.at(-1) })} />
      </div>
      <Await query={query} rows={10}>
        {({ pages }) => {
          const items = pages.flatMap((p) => p.items)
          if (!items.length)
            return (
              <EmptyState icon={GitPullRequest} title={state === 'all' && !search.repository && !search.author ? 'No pull requests yet' : 'No pull request matches these filters'}>
                Push a branch, then propose it: <Cli>taxiway pulls create orders --head my-change</Cli>
              </EmptyState>
            )
          return (
            <div className={s.card}>
              <DataTable
                label="Pull requests"
                rows={items}
                rowKey={(p) => p.id}
                columns={[
                  { title: 'Pull request', head: true, cell: (p) => (
                    <Link to="/pulls/$repository/$number" params={{ repository: p.repository, number: String(p.number) }} className={s.title}><PullIcon pull={p} /> {p.title}</Link>
                  ) },
                  { title: 'Number', className: 'mono t2', cell: (p) => `${p.repository}#${p.number}` },
                  { title: 'State', cell: (p) => <PullBadge pull={p} /> },
                  { title: 'Branches', className: 't2', cell: (p) => <span className="mono">{p.head} → {p.base}</span> },
                  { title: 'By', className: 't2', cell: (p) => shortRef(p.author) },
                  { title: 'Changed', cell: (p) => <Ago at={p.updated_at} className="t2" /> },
                ]}
              />
            </div>
          )
        }}
      </Await>
      {query.hasNextPage && <Button variant="default" mt={12} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show more</Button>}
    </Page>
  ) // prettier-ignore
}
