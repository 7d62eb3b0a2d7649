import { useQuery } from '@tanstack/react-query'
import { Puzzle } from 'lucide-react'
import { infoQuery, pluginsQuery } from '~/api/queries'
import { Await } from '~/components/RouteStates'
import { DataTable } from '~/ui/DataTable'
import { EmptyState, Panel } from '~/ui/parts'
import { StateBadge, words } from '~/ui/Status'
import ui from '~/ui/ui.module.css'

export default function PluginsSection() {
  const query = useQuery(pluginsQuery())
  const { data: info } = useQuery(infoQuery())
  return (
    <Panel title="Plugins" icon={Puzzle} right={info && <span className="t3">Taxiway {info.version}</span>}>
      <Await query={query}>
        {({ items }) =>
          items.length ? (
            <DataTable
              label="Plugins"
              rows={items}
              rowKey={(p) => p.name}
              columns={[
                { title: 'Plugin', head: true, cell: (p) => <>{p.name}<div className="t2" style={{ fontWeight: 400 }}>{p.description}</div></> },
                { title: 'Version', className: 'mono', cell: (p) => p.version },
                { title: 'State', cell: (p) => <><StateBadge state={p.state} />{p.reason && <div style={{ color: 'var(--c-bad)', marginTop: 3, maxWidth: 420 }}>{p.reason}</div>}</> },
                { title: 'Contributes', cell: (p) => <span className={ui.tags}>{p.contributions.map((c) => <span key={c.point + c.key} title={c.key}>{words(c.point)}{c.key !== p.name && <b>{c.key}</b>}</span>)}</span> },
              ]}
            />
          ) : (
            <EmptyState icon={Puzzle} title="No plugins" compact>Install a package with an entry point in the group taxiway.plugins.</EmptyState>
          )
        }
      </Await>
    </Panel>
  ) // prettier-ignore
}
