import { useQuery } from '@tanstack/react-query'
import { CircleCheck, FolderGit2, TriangleAlert } from 'lucide-react'
import { locationsQuery, problemsQuery } from '~/api/queries'
import { EntityLink } from '~/components/EntityLink'
import { Await } from '~/components/RouteStates'
import { Cli, EmptyState, Panel } from '~/ui/parts'
import ui from '~/ui/ui.module.css'

export default function SourcesSection() {
  const locations = useQuery(locationsQuery())
  const problems = useQuery(problemsQuery())
  return (
    <div style={{ display: 'grid', gap: 14 }}>
      <Panel title="Sources" icon={FolderGit2}>
        <Await query={locations}>
          {(items) =>
            items.length ? (
              <div className={ui.tableWrap}>
                <table className={ui.table}>
                  <thead>
                    <tr><th scope="col">Target</th><th scope="col">Kind</th></tr>
                  </thead>
                  <tbody>
                    {items.map((l) => (
                      <tr key={l.data.id}>
                        <th scope="row" className="mono" style={{ overflowWrap: 'anywhere' }}>{l.data.target}</th>
                        <td>{l.data.type}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
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
              <div className={ui.tableWrap}>
                <table className={ui.table}>
                  <tbody>
                    {items.map((p, i) => (
                      <tr key={i}>
                        <th scope="row">{p.ref ? <EntityLink entity={p.ref} /> : <span className="mono">{p.location}</span>}</th>
                        <td style={{ overflowWrap: 'anywhere' }}>{p.detail}{p.remedy && <div className="t2">{p.remedy}</div>}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            ) : (
              <EmptyState icon={CircleCheck} title="No problems" compact>Every source was read without an error.</EmptyState>
            )
          }
        </Await>
      </Panel>
    </div>
  ) // prettier-ignore
}
