import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ExternalLink, Rocket, RotateCcw } from 'lucide-react'
import { deploymentsQuery, environmentsQuery } from '~/api/queries'
import { Await } from '~/components/RouteStates'
import { FacetFilter } from '~/ui/FacetFilter'
import { Ago, Cli, EmptyState, Panel } from '~/ui/parts'
import { StateBadge } from '~/ui/Status'
import ui from '~/ui/ui.module.css'
import type { TabProps } from './EntityPage'

const route = getRouteApi('/app/catalog/$kind/$namespace/$name')

export default function DeploymentsTab({ entityRef }: TabProps) {
  const { environment } = route.useSearch()
  const nav = route.useNavigate()
  const query = useQuery(deploymentsQuery({ service: entityRef, environment, limit: 100 }))
  const { data: environments } = useQuery(environmentsQuery())
  const filter = (
    <FacetFilter
      label="Environment"
      value={environment ? [environment] : []}
      options={(environments?.items ?? []).map((e) => ({ value: e.name, label: e.title }))}
      onChange={(v) => void nav({ search: (o) => ({ ...o, environment: v.at(-1) }), replace: true })}
    />
  )
  return (
    <Panel title="Deployments" icon={Rocket} right={filter}>
      <Await query={query} rows={6}>
        {({ items }) =>
          items.length ? (
            <div className={ui.tableWrap}>
              <table className={ui.table}>
                <thead>
                  <tr><th scope="col">Version</th><th scope="col">Environment</th><th scope="col">State</th><th scope="col">Health</th><th scope="col">Commit</th><th scope="col">When</th><th scope="col"><span className={ui.sr}>Actions</span></th></tr>
                </thead>
                <tbody>
                  {items.map((d) => (
                    <tr key={d.id}>
                      <th scope="row" className="mono">{d.run_id ? <Link to="/runs/$id" params={{ id: d.run_id }}>{d.version}</Link> : d.version}</th>
                      <td>{d.environment}</td>
                      <td><StateBadge state={d.state} /></td>
                      <td><StateBadge state={d.health} /></td>
                      <td className="mono">{d.commit?.slice(0, 8)}</td>
                      <td><Ago at={d.created_at} className="t2" /></td>
                      <td>
                        <span style={{ display: 'flex', gap: 6, justifyContent: 'flex-end' }}>
                          {d.url && <Button component="a" href={d.url} target="_blank" rel="noreferrer" size="xs" variant="default" leftSection={<ExternalLink size={13} />}>Open</Button>}
                          <Button component={Link} to={`/environments?rollback=${encodeURIComponent(`${entityRef}@${d.environment}`)}`} size="xs" variant="default" leftSection={<RotateCcw size={13} />}>Roll back</Button>
                        </span>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          ) : (
            <EmptyState icon={Rocket} title="Never deployed" compact action={<Button component={Link} to={`/environments?service=${encodeURIComponent(entityRef)}`} variant="default">Deploy a release</Button>}>
              A green pipeline makes a release; a release can be deployed. By command: <Cli>taxiway deploy SERVICE ENVIRONMENT</Cli>
            </EmptyState>
          )
        }
      </Await>
    </Panel>
  ) // prettier-ignore
}
