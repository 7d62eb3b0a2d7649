/** Everything that is found, best first. The URL holds the question and the page. */
import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { Await } from '~/components/RouteStates'
import { EmptyState, Page, PageHeader, Panel } from '~/ui/parts'
import { useTyped } from '~/ui/useTyped'
import { type Hit, Marked, placeOf, searchQuery, textOf } from '~/components/SearchHits'

const route = getRouteApi('/app/search')
const TYPES = [
  { value: '', label: 'Everything' },
  { value: 'software-catalog', label: 'Catalog' },
  { value: 'techdocs', label: 'Docs' },
  { value: 'golden-path', label: 'Golden paths' },
]
const SHOWN = 25

export function SearchPage() {
  const { q = '', type = '', page } = route.useSearch()
  const nav = route.useNavigate()
  const query = useQuery(searchQuery({ term: q, types: type ? [type] : undefined, limit: SHOWN, cursor: page }))
  const [typed, ask] = useTyped({
    kept: q || undefined,
    keep: (text) => void nav({ search: (o) => ({ ...o, q: text, page: undefined }), replace: true }),
    of: (text) => text.trim() || undefined,
  })
  const turn = (cursor?: string | null) => void nav({ search: (o) => ({ ...o, page: cursor ?? undefined }) })
  return (
    <Page>
      <PageHeader title="Search" sub="Entities, docs and golden paths that you may read. One typing error in a name is forgiven." />
      <div style={{ display: 'flex', alignItems: 'center', gap: 10, flexWrap: 'wrap', marginBottom: 14 }}>
        <TextInput style={{ flex: '1 1 260px' }} aria-label="Search words" placeholder="Names, words, tags, annotations" leftSection={<Search size={15} aria-hidden />} value={typed} maxLength={100} onChange={(e) => ask(e.currentTarget.value)} autoFocus />
        <SegmentedControl data={TYPES} value={type} onChange={(v) => void nav({ search: (o) => ({ ...o, type: v || undefined, page: undefined }), replace: true })} aria-label="Type of result" />
      </div>
      {q === '' ? (
        <EmptyState icon={Search} title="Type a word">Each word also finds what begins with it; all words must be found.</EmptyState>
      ) : (
        <Await query={query} rows={8}>
          {(found) => (
            <Panel title={`${found.numberOfResults} found`} icon={Search}>
              {found.results.length ? (
                <ol style={{ listStyle: 'none', margin: 0, padding: 0 }}>
                  {found.results.map((hit) => <Result key={`${hit.type} ${placeOf(hit)}`} hit={hit} />)}
                </ol>
              ) : (
                <EmptyState icon={Search} title="Nothing matches" compact>Try fewer or shorter words.</EmptyState>
              )}
              {(found.previousPageCursor || found.nextPageCursor) && <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end', padding: 12 }}>
                {found.previousPageCursor && <Button size="xs" variant="default" onClick={() => turn(found.previousPageCursor)}>Previous</Button>}
                {found.nextPageCursor && <Button size="xs" variant="default" onClick={() => turn(found.nextPageCursor)}>Next</Button>}
              </div>}
            </Panel>
          )}
        </Await>
      )}
    </Page>
  ) // prettier-ignore
}

function Result({ hit }: { hit: Hit }) {
  const tags = hit.highlight?.fields.tags
  return (
    <li style={{ padding: '10px 14px', borderBottom: '1px solid var(--c-line)' }}>
      <Link to={placeOf(hit)} style={{ fontWeight: 600 }}><Marked hit={hit} field="title" /></Link>
      <span className="t2"> {[textOf(hit, 'kind'), textOf(hit, 'entityTitle') || textOf(hit, 'owner')].filter(Boolean).join(' · ')}</span>
      <div className="t2" style={{ overflowWrap: 'anywhere' }}><Marked hit={hit} field="text" /></div>
      {tags && <div className="t2"><Marked hit={hit} field="tags" /></div>}
    </li>
  ) // prettier-ignore
}
