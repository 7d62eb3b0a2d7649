import { useQuery } from '@tanstack/react-query'
import { SlidersHorizontal } from 'lucide-react'
import { configQuery } from '~/api/access'
import { Await } from '~/components/RouteStates'
import { DataTable } from '~/ui/DataTable'
import { Cli, Panel } from '~/ui/parts'

const show = (v: unknown) => (v === null || v === undefined ? 'not set' : typeof v === 'string' ? v : JSON.stringify(v))

export default function ConfigSection() {
  const query = useQuery(configQuery())
  return (
    <Panel title="Configuration" icon={SlidersHorizontal} right={<Cli>taxiway config show</Cli>}>
      <Await query={query} rows={8}>
        {({ items }) => (
          <DataTable
            label="Configuration"
            rows={items}
            rowKey={(c) => c.key}
            columns={[
              { title: 'Setting', head: true, cell: (c) => <><span className="mono">{c.key}</span><div className="t3" style={{ fontWeight: 400, fontSize: 12 }}>{c.description}</div></> },
              { title: 'Value', className: 'mono', cell: (c) => show(c.value) },
              { title: 'Comes from', cell: (c) => <span className={c.source === 'default' ? 't3' : undefined}>{c.source}</span> },
            ]}
          />
        )}
      </Await>
    </Panel>
  ) // prettier-ignore
}
