/** Repositories without a descriptor: what is proposed for each and why, and pull requests for those that are chosen. */
import { Button, Checkbox, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { FolderSearch, GitPullRequestArrow, Pencil, Search } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { onboardingQuery, type OnboardingPage as Found, type OnboardingRow, startLook, startOnboarding } from '~/api/onboarding'
import { runQuery } from '~/api/queries'
import { EntityLink } from '~/components/EntityLink'
import { notifyError } from '~/components/notify'
import { Refusal } from '~/components/Refusal'
import { Await, useRefresh } from '~/components/RouteStates'
import { DataTable } from '~/ui/DataTable'
import { FacetFilter } from '~/ui/FacetFilter'
import { Ago, Cli, EmptyState, Page, PageHeader } from '~/ui/parts'
import { StatusBadge } from '~/ui/Status'
import { count } from '~/ui/time'
import s from './onboard.module.css'

const DescriptorDrawer = lazy(() => import('./DescriptorDrawer'))
const route = getRouteApi('/app/catalog/onboard')
const STATES: [value: string, label: string][] = [['missing', 'Without a descriptor'], ['proposed', 'Pull request open'], ['has', 'Has a descriptor']] // prettier-ignore
const ENDED = ['failed', 'cancelled', 'needs_attention']
const keyOf = (x: OnboardingRow) => `${x.source}/${x.name}`

export function OnboardPage() {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const go = useNavigate()
  const status = search.status ?? 'missing'
  const query = useInfiniteQuery(onboardingQuery({ status, text: search.q }))
  const [chosen, setChosen] = useState<ReadonlyMap<string, OnboardingRow>>(new Map())
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({})
  const [edited, setEdited] = useState<OnboardingRow>()
  const set = (p: Partial<typeof search>) => void nav({ search: (o) => ({ ...o, ...p }), replace: true })
  const filter = useDebouncedCallback((q: string) => set({ q: q || undefined }), 200)
  const ready = (x: OnboardingRow) => x.status === 'missing' && (keyOf(x) in texts || Boolean(x.proposal?.is_ready))
  const choose = (rows: OnboardingRow[], on: boolean) =>
    setChosen((old) => {
      const next = new Map(old)
      for (const x of rows)
        if (on) next.set(keyOf(x), x)
        else next.delete(keyOf(x))
      return next
    })
  const open = useMutation({
    mutationFn: () =>
      startOnboarding(
        [...chosen].map(([key, x]) => ({ source: x.source, name: x.name, ...(key in texts && { text: texts[key] }) })),
      ),
    onSuccess: ({ run_id }) => go({ to: '/runs/$id', params: { id: run_id } }),
  })
  const first = query.data?.pages[0]
  return (
    <Page>
      <PageHeader
        title="Onboard repositories"
        sub={<Summary found={first} />}
        right={<LookButton />}
      />
      <div className={s.bar}>
        <TextInput w={230} placeholder="Filter" aria-label="Filter repositories" leftSection={<Search size={14} />} defaultValue={search.q} onChange={(e) => filter(e.currentTarget.value)} styles={{ input: { height: 28, minHeight: 28 } }} />
        <FacetFilter label="State" value={[status]} options={STATES.map(([value, label]) => ({ value, label, count: first?.counts[value] ?? 0 }))} onChange={(v) => set({ status: v.at(-1) })} />
      </div>
      <Await query={query} rows={8}>
        {({ pages }) => {
          const items = pages.flatMap((p) => p.items)
          if (!items.length) return <Nothing found={first} filtered={Boolean(search.q) || status !== 'missing'} />
          const fit = items.filter(ready)
          return (
            <div className={s.card}>
              <DataTable
                label="Repositories"
                rows={items}
                rowKey={keyOf}
                columns={[
                  {
                    title: 'Repository',
                    head: true,
                    cell: (x) => (
                      <span className={s.name}>
                        {x.status === 'missing' && <Checkbox aria-label={`Choose ${x.name}`} checked={chosen.has(keyOf(x))} disabled={!ready(x)} onChange={(e) => choose([x], e.currentTarget.checked)} />}
                        <span>{x.name}</span>
                      </span>
                    ),
                  },
                  { title: 'Would be', cell: (x) => x.proposal ? <>{x.proposal.type}{x.proposal.apis.length > 0 && <span className="t2"> and {x.proposal.apis.length === 1 ? 'an API' : `${x.proposal.apis.length} APIs`}</span>}</> : '—' },
                  { title: 'Owner', cell: (x) => x.proposal?.owner ? <EntityLink entity={x.proposal.owner} defaultKind="group" /> : x.proposal ? <StatusBadge tone="warn">nobody yet</StatusBadge> : '—' },
                  { title: 'System', className: 't2', cell: (x) => x.proposal?.system ?? '—' },
                  { title: 'Why', cell: (x) => <Why row={x} edited={keyOf(x) in texts} /> },
                  { title: 'Action', silent: true, cell: (x) => x.status === 'missing' ? <Button size="compact-xs" variant="default" leftSection={<Pencil size={12} />} aria-label={`Edit the descriptor of ${x.name}`} onClick={() => setEdited(x)}>Edit</Button> : x.pull ? <a className={s.link} href={x.pull}>Pull request</a> : null },
                ]}
              />
              {status === 'missing' && fit.length > 0 && (
                <div style={{ padding: '8px 14px' }}>
                  <Checkbox label={`All ${count(fit.length)} shown that are ready`} checked={fit.every((x) => chosen.has(keyOf(x)))} indeterminate={fit.some((x) => chosen.has(keyOf(x))) && !fit.every((x) => chosen.has(keyOf(x)))} onChange={(e) => choose(fit, e.currentTarget.checked)} />
                </div>
              )}
            </div>
          )
        }}
      </Await>
      {query.hasNextPage && <Button variant="default" mt={12} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show more</Button>}
      <Refusal error={open.error} />
      {status === 'missing' && query.data && (
        <div className={s.send}>
          <Button leftSection={<GitPullRequestArrow size={15} />} disabled={!chosen.size || chosen.size > 500} loading={open.isPending} onClick={() => open.mutate()}>
            {chosen.size === 1 ? 'Open a pull request for 1' : `Open pull requests for ${count(chosen.size)}`}
          </Button>
          <span className="t2">{chosen.size > 500 ? 'At most 500 at once.' : 'Each brings a catalog-info.yaml. Nothing is in the catalog before it is merged.'}</span>
        </div>
      )}
      {edited && (
        <Suspense fallback={null}>
          <DescriptorDrawer
            name={edited.name}
            text={texts[keyOf(edited)] ?? edited.proposal?.text ?? ''}
            onClose={() => setEdited(undefined)}
            onDone={(text) => {
              setTexts((old) => ({ ...old, [keyOf(edited)]: text }))
              choose([edited], true)
              setEdited(undefined)
            }}
          />
        </Suspense>
      )}
    </Page>
  ) // prettier-ignore
}

const Summary = ({ found }: { found: Found | undefined }) =>
  found?.looked_at ? (
    <>
      {count(found.counts.missing ?? 0)} without a catalog-info.yaml, {count(found.counts.has ?? 0)} with one. Looked at{' '}
      <Ago at={found.looked_at} />.
    </>
  ) : (
    'Repositories without a catalog-info.yaml, each with a proposed one.'
  )

function Nothing({ found, filtered }: { found: Found | undefined; filtered: boolean }) {
  if (filtered) return <EmptyState icon={Search} title="No repository matches">Loosen the filter.</EmptyState>
  if (!found?.looked_at)
    return <EmptyState icon={FolderSearch} title="Nobody has looked yet" action={<LookButton />}>A look finds the repositories without a descriptor. By command: <Cli>taxiway catalog onboard --plan</Cli></EmptyState>
  return <EmptyState icon={FolderSearch} title="Every repository is described" action={<Button variant="default" component={Link} to="/catalog">To the catalog</Button>}>Nothing lacks a catalog-info.yaml.</EmptyState>
} // prettier-ignore

function Why({ row, edited }: { row: OnboardingRow; edited: boolean }) {
  const p = row.proposal
  if (edited) return <StatusBadge tone="info">edited</StatusBadge>
  if (!p) return <span className="t3">—</span>
  return (
    <div className={s.why}>
      <span>Owner: {p.reasons.owner}</span>
      <span>Type: {p.reasons.type}</span>
      {p.is_taken && <span>The name {p.name} is taken: choose another one</span>}
    </div>
  )
}

/** Starts a look, and shows what it found when its run has ended. */
function LookButton() {
  const refresh = useRefresh()
  const client = useQueryClient()
  const look = useMutation({
    mutationFn: async () => {
      const { run_id } = await startLook()
      for (;;) {
        const run = await client.fetchQuery({ ...runQuery(run_id), staleTime: 0 })
        if (run.state === 'succeeded') return
        if (ENDED.includes(run.state)) throw new Error(run.error ?? `its run is ${run.state}`)
        await new Promise((wake) => setTimeout(wake, 700))
      }
    },
    onSuccess: () => refresh('onboarding'),
    onError: (e) => notifyError('The repositories could not be looked at', e),
  })
  return (
    <Button variant="default" leftSection={<FolderSearch size={15} />} loading={look.isPending} onClick={() => look.mutate()}>
      Look now
    </Button>
  )
}
