/** An entity's document as a form and as text, with what a change does to its file before anything is sent. */
import { Button, SegmentedControl } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { PencilOff } from 'lucide-react'
import { useRef, useState } from 'react'
import { editEntity, editPreviewQuery, entitySourceQuery } from '~/api/edits'
import { provenanceQuery } from '~/api/queries'
import type { RefParts } from '~/api/refs'
import type { EditBody, EntitySource, Json } from '~/api/types'
import { Await } from '~/components/RouteStates'
import { EmptyState, Page, PageHeader, Panel } from '~/ui/parts'
import { pathOf } from '../ProvenanceParts'
import { FieldInput } from './FieldInput'
import s from './edit.module.css'
import { PreviewPanel } from './PreviewPanel'
import { sameValue, shownOf, valueOf } from './values'
import { goToLine, YamlInput } from './YamlInput'

const route = getRouteApi('/app/catalog/$kind/$namespace/$name/edit')
const NOTHING: Json = {}

export function EditPage() {
  const params = route.useParams()
  const source = useQuery(entitySourceQuery(params))
  const back = `/catalog/${params.kind}/${params.namespace}/${params.name}`
  const found = source.data
  const where = found?.is_editable ? (
    <>
      <span className="mono">{found.path}</span> in {found.repository}, on {found.branch}. Comments and layout stay as they are.
    </>
  ) : undefined
  return (
    <Page>
      <PageHeader title={`Edit ${params.name}`} sub={where} right={<Button variant="default" component={Link} to={back}>Back to it</Button>} />
      <Await query={source} rows={8}>
        {(data) =>
          data.is_editable ? (
            <Editor params={params} source={data} onMoved={() => void source.refetch()} back={back} />
          ) : (
            <EmptyState icon={PencilOff} title={data.reason ?? 'It cannot be edited here'} action={<Button variant="default" component={Link} to={back}>Back to it</Button>}>
              {data.remedy}
            </EmptyState>
          )
        }
      </Await>
    </Page>
  ) // prettier-ignore
}

/** `text` is the base once it was looked at as YAML; `fields` are changes on top of it. */
type Props = { params: RefParts; source: EntitySource; onMoved: () => void; back: string }
function Editor({ params, source, onMoved, back }: Props) {
  const { as } = route.useSearch()
  const nav = route.useNavigate()
  const client = useQueryClient()
  const box = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState(as === 'yaml' ? (source.text ?? '') : undefined)
  const [fields, setFields] = useState(NOTHING)
  const [base, setBase] = useState(source.fields)
  const body: EditBody = { ...(text !== undefined && { text }), ...(Object.keys(fields).length && { fields }) }
  const [asked] = useDebouncedValue(JSON.stringify(body), 300)
  const changed = Object.keys(body).length > 0
  const preview = useQuery({ ...editPreviewQuery(params, JSON.parse(asked) as EditBody), enabled: asked !== '{}' })
  const stale = asked !== JSON.stringify(body) || preview.isFetching
  const show = async (mode: string) => {
    if (mode === 'yaml') {
      const seen = Object.keys(fields).length ? await client.fetchQuery(editPreviewQuery(params, body)).catch(() => null) : null
      setText(seen?.text ?? text ?? source.text ?? '')
    } else if (text !== undefined) {
      const seen = await client.fetchQuery(editPreviewQuery(params, { text })).catch(() => null)
      if (!seen?.fields.length) return // it is no document now: what is wrong is said beside the text
      setBase(seen.fields)
    }
    setFields(NOTHING)
    void nav({ search: { as: mode === 'yaml' ? 'yaml' : undefined }, replace: true })
  }
  const set = (pointer: string, value: unknown) =>
    setFields((old) => {
      const before = base.find((f) => f.pointer === pointer)?.value
      const others = Object.entries(old).filter(([p]) => p !== pointer)
      return Object.fromEntries(sameValue(before, value) ? others : [...others, [pointer, value]])
    })
  return (
    <div className={s.split}>
      <Panel>
        <div className={s.form}>
          <Overlaid params={params} />
          <SegmentedControl
            aria-label="Edit as"
            value={as === 'yaml' ? 'yaml' : 'form'}
            onChange={(v) => void show(v)}
            data={[
              { value: 'form', label: 'Form' },
              { value: 'yaml', label: 'YAML' },
            ]}
          />
          {as === 'yaml' ? (
            <YamlInput box={box} value={text ?? source.text ?? ''} onChange={setText} />
          ) : (
            base.map((f) => (
              <FieldInput
                key={f.pointer}
                field={f}
                value={shownOf(f, f.pointer in fields ? fields[f.pointer] : f.value)}
                onChange={(v) => set(f.pointer, valueOf(f, v))}
              />
            ))
          )}
        </div>
      </Panel>
      <PreviewPanel
        preview={changed ? preview.data : undefined}
        error={changed ? preview.error : null}
        stale={stale}
        idle={as === 'yaml' ? 'Change the text: the difference shows here before anything is sent.' : 'Change a field: the difference shows here before anything is sent.'}
        send={(how) => editEntity(params, source.etag ?? '', { ...body, how })}
        onLine={as === 'yaml' ? (line) => goToLine(box, line) : undefined}
        onMoved={onMoved}
        back={back}
      />
    </div>
  ) // prettier-ignore
}

/** Fields of the file that an overlay wins over: a change of them does not show. */
function Overlaid({ params }: { params: RefParts }) {
  const { data } = useQuery({ ...provenanceQuery(params), retry: false })
  const owner = data?.sources.find((x) => x.role === 'owner')
  const hidden = data?.fields.filter((f) => f.source_id !== owner?.id && f.over.some((o) => o.source_id === owner?.id)) ?? []
  if (!hidden.length) return null
  const names = [...new Set(hidden.map((f) => data?.sources.find((x) => x.id === f.source_id)?.name))]
  return (
    <p className={s.note} role="note">
      {names.join(', ')} wins over this file at {[...new Set(hidden.map((f) => pathOf(f.pointer)))].join(', ')}: what you change there does not show as long as it does.
    </p>
  ) // prettier-ignore
}
