/** What is wrong with the catalog's sources: file, line, what, and what to do. The URL holds the filter. */
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { CircleCheck, TriangleAlert, X } from 'lucide-react'
import { catalogProblemsQuery } from '~/api/queries'
import type { CatalogProblem } from '~/api/types'
import { EntityLink } from '~/components/EntityLink'
import { Await } from '~/components/RouteStates'
import { ShowMore } from '~/components/ShowMore'
import { DataTable } from '~/ui/DataTable'
import { FacetFilter } from '~/ui/FacetFilter'
import { Ago, Cli, EmptyState, Page, PageHeader, Panel } from '~/ui/parts'
import { StatusBadge } from '~/ui/Status'

const route = getRouteApi('/app/catalog/problems')
const CODES: Record<CatalogProblem['code'], string> = {
  conflict: 'Conflict',
  duplicate: 'Described twice',
  invalid: 'Not valid',
  overlay: 'Overlay left out',
  undeclared: 'Field not declared',
  unreadable: 'Not readable',
  untrusted: 'Needs trust',
}
/** What costs no entity. */
const WARNS = new Set<CatalogProblem['code']>(['conflict', 'untrusted', 'overlay', 'undeclared'])

export function ProblemsPage() {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const query = useInfiniteQuery(catalogProblemsQuery(search))
  const set = (p: Partial<typeof search>) => void nav({ search: (o) => ({ ...o, ...p }), replace: true })
  const filter = (
    <>
      {search.ref && <Button size="xs" variant="subtle" color="gray" rightSection={<X size={13} />} onClick={() => set({ ref: undefined })}>{search.ref}</Button>}
      {search.source && <Button size="xs" variant="subtle" color="gray" rightSection={<X size={13} />} onClick={() => set({ source: undefined })}>one source</Button>}
      <FacetFilter
        label="Kind of problem"
        value={search.code ? [search.code] : []}
        options={Object.entries(CODES).map(([value, label]) => ({ value, label }))}
        onChange={(v) => set({ code: v.at(-1) })}
      />
    </>
  ) // prettier-ignore
  return (
    <Page>
      <PageHeader title="Problems" sub="What the catalog could not take in from its sources. What was good before stays until it is mended." />
      <Panel title="Problems" icon={TriangleAlert} right={filter}>
        <Await query={query} rows={8}>
          {({ pages }) => {
            const items = pages.flatMap((p) => p.items)
            if (!items.length) return <EmptyState icon={CircleCheck} title="No problems" compact>Every source was read without an error. Before a push: <Cli>taxiway catalog lint</Cli></EmptyState>
            return (
              <DataTable
                label="Problems"
                rows={items}
                rowKey={(p) => p.id}
                columns={[
                  { title: 'Where', head: true, className: 'mono', cell: (p) => <Where problem={p} /> },
                  { title: 'Kind', cell: (p) => <StatusBadge tone={WARNS.has(p.code) ? 'warn' : 'bad'}>{CODES[p.code]}</StatusBadge> },
                  { title: 'About', cell: (p) => <About problem={p} /> },
                  { title: 'Problem', cell: (p) => <>{p.detail}<div className="t2">{p.remedy}</div><Keeper problem={p} /></> },
                  { title: 'Since', cell: (p) => <Ago at={p.at} className="t2" /> },
                ]}
              />
            )
          }}
        </Await>
        <ShowMore query={query} />
      </Panel>
    </Page>
  ) // prettier-ignore
}

const Where = ({ problem: p }: { problem: CatalogProblem }) => (
  <span style={{ overflowWrap: 'anywhere' }}>
    <Link to="/catalog/sources" search={{ source: p.source_id }} title="The source">
      {p.location}
      {p.line !== null && <>, line {p.line}</>}
    </Link>
  </span>
)

/** A conflict has two sides: the one that is refused, and the one that keeps the name. */
const Keeper = ({ problem: p }: { problem: CatalogProblem }) =>
  p.other_source_id && (
    <div>
      <Link to="/catalog/sources" search={{ source: p.other_source_id }}>
        The source that keeps it
      </Link>
    </div>
  )

/** What was never valid is no entity yet: it has no page. */
const About = ({ problem: p }: { problem: CatalogProblem }) =>
  p.ref && (p.exists ? <EntityLink entity={p.ref} /> : <span className="mono">{p.ref}</span>)
