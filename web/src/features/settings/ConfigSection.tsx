import { useQuery } from '@tanstack/react-query'
import { SlidersHorizontal } from 'lucide-react'
import { configQuery } from '~/api/queries'
import { Await } from '~/components/RouteStates'
import { Cli, Panel } from '~/ui/parts'
import ui from '~/ui/ui.module.css'

const show = (v: unknown) => (v === null || v === undefined ? 'not set' : typeof v === 'string' ? v : JSON.stringify(v))

export default function ConfigSection() {
  const query = useQuery(configQuery())
  return (
    <Panel title="Configuration" icon={SlidersHorizontal} right={<Cli>taxiway config show</Cli>}>
      <Await query={query} rows={8}>
        {({ items }) => (
          <div className={ui.tableWrap}>
            <table className={ui.table}>
              <thead>
                <tr><th scope="col">Setting</th><th scope="col">Value</th><th scope="col">Comes from</th></tr>
              </thead>
              <tbody>
                {items.map((c) => (
                  <tr key={c.key}>
                    <th scope="row"><span className="mono">{c.key}</span><div className="t3" style={{ fontWeight: 400, fontSize: 12 }}>{c.description}</div></th>
                    <td className="mono" style={{ overflowWrap: 'anywhere' }}>{show(c.value)}</td>
                    <td className="t2">{c.source}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Await>
    </Panel>
  ) // prettier-ignore
}
