import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ExternalLink, Rocket, RotateCcw } from 'lucide-react'
import { deploymentsQuery, environmentsQuery } from '~/api/queries'
import { Await } from '~/components/RouteStates'
import { DataTable } from '~/ui/DataTable'
import { FacetFilter } from '~/ui/FacetFilter'
import { Ago, Cli, EmptyState, Panel } from '~/ui/parts'
import { StateBadge, words } from '~/ui/Status'
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
            <DataTable
              label="Deployments"
 pairs
              rows={items}
              rowKey={(d) => d.id}
              columns={[
                { title: 'Version', head: true, className: 'mono', cell: (d) => (d.run_id ? <Link to="/runs/$id" params={{ id: d.run_id }} className={ui.cellLink}>{d.version}</Link> : d.version) },
                { title: 'Environment', cell: (d) => d.environment },
                { title: 'What', cell: (d) => words(d.action) },
                { title: 'State', cell: (d) => <StateBadge state={d.state} /> },
                { title: 'Health', cell: (d) => d.state === 'live' && <StateBadge state={d.health} /> },
                { title: 'Commit', className: 'mono', cell: (d) => d.commit?.slice(0, 8) },
                { title: 'When', cell: (d) => <Ago at={d.created_at} className="t2" /> },
                {
                  title: 'Actions',
                  silent: true,
                  cell: (d) =>
                    d.state === 'live' ? (
                      d.url && <Button component="a" href={d.url} target="_blank" rel="noreferrer" size="xs" variant="default" leftSection={<ExternalLink size={13} />}>Open</Button>
                    ) : d.state === 'superseded' ? (
                      <Button component={Link} to={`/environments?rollback=${encodeURIComponent(`${entityRef}@${d.environment}`)}&release=${d.release_id}`} size="xs" variant="default" leftSection={<RotateCcw size={13} />} aria-label={`Roll back ${d.environment} to ${d.version}`}>Roll back to this</Button>
                    ) : null,
                },
              ]}
            />
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
