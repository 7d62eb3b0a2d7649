import { useQuery } from '@tanstack/react-query'
import { CircleCheck, FolderGit2, TriangleAlert } from 'lucide-react'
import { locationsQuery, problemsQuery } from '~/api/queries'
import { EntityLink } from '~/components/EntityLink'
import { Await } from '~/components/RouteStates'
import { DataTable } from '~/ui/DataTable'
import { Cli, EmptyState, Panel } from '~/ui/parts'

export default function SourcesSection() {
  const locations = useQuery(locationsQuery())
  const problems = useQuery(problemsQuery())
  return (
    <div style={{ display: 'grid', gap: 14 }}>
      <Panel title="Sources" icon={FolderGit2}>
        <Await query={locations}>
          {(items) =>
            items.length ? (
              <DataTable
                label="Sources"
                rows={items}
                rowKey={(l) => l.data.id}
                columns={[
                  { title: 'Target', head: true, className: 'mono', cell: (l) => l.data.target },
                  { title: 'Kind', cell: (l) => l.data.type },
                ]}
              />
            ) : (
              <EmptyState icon={FolderGit2} title="No sources" compact>Register a descriptor in the catalog, or by command: <Cli>taxiway catalog register TARGET</Cli></EmptyState>
            )
          }
        </Await>
      </Panel>
      <Panel title="Problems" icon={TriangleAlert}>
        <Await query={problems}>
          {({ items }) =>
            items.length ? (
              <DataTable
                label="Problems"
                rows={items}
                rowKey={(_, i) => i}
                columns={[
                  { title: 'Where', head: true, cell: (p) => (p.ref ? <EntityLink entity={p.ref} /> : <span className="mono">{p.location}</span>) },
                  { title: 'Problem', cell: (p) => <>{p.detail}{p.remedy && <div className="t2">{p.remedy}</div>}</> },
                ]}
              />
            ) : (
              <EmptyState icon={CircleCheck} title="No problems" compact>Every source was read without an error.</EmptyState>
            )
          }
        </Await>
      </Panel>
    </div>
  ) // prettier-ignore
}
