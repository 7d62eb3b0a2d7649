/** The entity as YAML, and where each of its values comes from: beside the line, or as a table. */
import { SegmentedControl } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useId, useMemo, useState } from 'react'
import { provenanceQuery } from '~/api/queries'
import { splitRef } from '~/api/refs'
import type { Provenance } from '~/api/types'
import { Await, ErrorState } from '~/components/RouteStates'
import { Panel } from '~/ui/parts'
import ui from '~/ui/ui.module.css'
import { YamlBlock } from '~/ui/YamlBlock'
import type { TabProps } from './EntityPage'
import s from './provenance.module.css'
import { FieldsTable, SourceList, Told } from './ProvenanceParts'
import { yamlLines } from './yaml'

const VIEWS = [
  { value: 'document', label: 'Document' },
  { value: 'table', label: 'Where it comes from' },
]

export default function DefinitionTab({ entity, entityRef }: TabProps) {
  const narrow = useMediaQuery('(max-width: 760px)')
  const [chosen, choose] = useState<string>()
  const query = useQuery({ ...provenanceQuery(splitRef(entityRef), entity.metadata.etag), retry: false })
  const view = chosen ?? (narrow ? 'table' : 'document')
  const head = <><SegmentedControl size="xs" value={view} onChange={choose} data={VIEWS} aria-label="What is shown" /><Link to="/runs" search={{ subject: entityRef }} className={ui.cellLink}>Its runs</Link></> // prettier-ignore
  return (
    <div style={{ display: 'grid', gap: 14 }}>
      <Panel title="Definition" right={head} pad={view === 'table' ? 0 : 12}>
        {view === 'table' ? (
          <Await query={query} rows={8}>{(data) => <FieldsTable of={data} />}</Await>
        ) : (
          <Document entity={entity} of={query.data} />
        )}
        {view !== 'table' && query.error && <ErrorState error={query.error} retry={() => void query.refetch()} compact />}
      </Panel>
      {query.data && <Panel title="Sources"><SourceList of={query.data} /></Panel>}
    </div>
  ) // prettier-ignore
}

function Document({ entity, of }: { entity: TabProps['entity']; of: Provenance | undefined }) {
  const id = useId()
  const [active, setActive] = useState<number>()
  const lines = useMemo(() => yamlLines(entity), [entity])
  const fields = useMemo(() => new Map(of?.fields.map((f) => [f.pointer, f])), [of])
  const overlays = useMemo(() => new Map(of?.sources.filter((x) => x.role === 'overlay').map((x) => [x.id, x])), [of])
  const fieldOf = (line: number | undefined) => fields.get(lines[line ?? -1]?.pointer ?? '')
  const mark = (line: number) => {
    const source = lines[line - 1]?.pointer === lines[line]?.pointer ? undefined : overlays.get(fieldOf(line)?.source_id ?? '')
    return source && <span className={s.mark}>{source.name}</span>
  }
  return (
    <>
      <YamlBlock lines={lines.map((l) => l.text)} label="Entity as YAML" mark={mark} active={active} onActive={of && setActive} describedBy={of && id} />
      {of && (
        <div id={id} role="status" className={s.told}>
          {active === undefined ? 'Point at a line, or go to it with the arrow keys, to see where its value comes from.' : <Told field={fieldOf(active)} pointer={lines[active]?.pointer ?? ''} of={of} />}
        </div>
      )}
    </>
  ) // prettier-ignore
}
