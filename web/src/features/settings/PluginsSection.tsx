import { useQuery } from '@tanstack/react-query'
import { Puzzle } from 'lucide-react'
import { infoQuery, pluginsQuery } from '~/api/queries'
import { Await } from '~/components/RouteStates'
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
            <div className={ui.tableWrap}>
              <table className={ui.table}>
                <thead>
                  <tr><th scope="col">Plugin</th><th scope="col">Version</th><th scope="col">State</th><th scope="col">Contributes</th></tr>
                </thead>
                <tbody>
                  {items.map((p) => (
                    <tr key={p.name}>
                      <th scope="row">{p.name}<div className="t2" style={{ fontWeight: 400 }}>{p.description}</div></th>
                      <td className="mono">{p.version}</td>
                      <td>
                        <StateBadge state={p.state} />
                        {p.reason && <div style={{ color: 'var(--c-bad)', marginTop: 3, maxWidth: 420, overflowWrap: 'anywhere' }}>{p.reason}</div>}
                      </td>
                      <td><span className={ui.tags}>{p.contributions.map((c) => <span key={c.point + c.key} title={c.key}>{words(c.point)}{c.key !== p.name && <b>{c.key}</b>}</span>)}</span></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          ) : (
            <EmptyState icon={Puzzle} title="No plugins" compact>Install a package with an entry point in the group taxiway.plugins.</EmptyState>
          )
        }
      </Await>
    </Panel>
  ) // prettier-ignore
}
