/** A new entity, written into a repository: a form by kind or the text, with what would be in the file. */
import { Button, SegmentedControl, Select, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { asApiError } from '~/api/errors'
import { addEntity, additionPreviewQuery, editFormQuery } from '~/api/edits'
import { kindsQuery, repositoriesQuery } from '~/api/queries'
import type { AdditionBody, Json } from '~/api/types'
import { Await } from '~/components/RouteStates'
import { Page, PageHeader, Panel } from '~/ui/parts'
import { FieldInput } from './FieldInput'
import s from './edit.module.css'
import { PreviewPanel } from './PreviewPanel'
import { shownOf, valueOf, withValue } from './values'
import { goToLine, YamlInput } from './YamlInput'

const route = getRouteApi('/app/catalog/add')
const BACKSTAGE = 'backstage.io/v1alpha1'
const PATH = 'catalog-info.yaml'

export function AddPage() {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const kind = search.kind ?? 'Component'
  const form = useQuery(editFormQuery(kind))
  const { data: kinds } = useQuery(kindsQuery())
  const apiVersion = kinds?.items.find((k) => k.name.toLowerCase() === kind.toLowerCase())?.api_versions[0] ?? BACKSTAGE
  const repositories = useQuery(repositoriesQuery())
  const [path, setPath] = useState(PATH)
  const [document, setDocument] = useState<Json>({ metadata: {}, spec: {} })
  const [text, setText] = useState<string>()
  const box = useRef<HTMLTextAreaElement>(null)
  const name = String((document.metadata as Json).name ?? '')
  const whole = {
    apiVersion,
    kind,
    ...fitting(
      document,
      form.data?.fields.map((f) => f.pointer),
    ),
  }
  const started = text !== undefined || name !== ''
  const body: AdditionBody = {
    repository: search.repository ?? '',
    path,
    ...(text === undefined ? { document: whole } : { text }),
  }
  const [asked] = useDebouncedValue(JSON.stringify(body), 300)
  const preview = useQuery({
    ...additionPreviewQuery(JSON.parse(asked) as AdditionBody),
    enabled: started && Boolean(search.repository) && path !== '',
  })
  const set = (pointer: string, value: unknown) => setDocument((d) => withValue(d, pointer, value))
  return (
    <Page>
      <PageHeader
        title="Add an entity"
        sub="It is written into a repository, and is in the catalog as soon as it is on the default branch."
        right={
          <>
            <Button variant="default" component={Link} to="/catalog/onboard">Onboard many</Button>
            <Button variant="default" component={Link} to="/catalog?register=true">Register an existing file</Button>
          </>
        }
      />
      <div className={s.split}>
        <Panel>
          <div className={s.form}>
            <div className={s.pair}>
              <Select
                label="Repository"
                required
                searchable
                data={(repositories.data?.items ?? []).map((r) => r.name)}
                value={search.repository ?? null}
                onChange={(v) => void nav({ search: (o) => ({ ...o, repository: v ?? undefined }), replace: true })}
                nothingFoundMessage={repositories.data?.items.length === 0 ? 'There is no repository yet: create a service first' : 'No repository of this name'}
                error={repositories.error ? `The repositories could not be listed: ${asApiError(repositories.error).detail}` : undefined}
              />
              <TextInput label="File" required value={path} onChange={(e) => setPath(e.currentTarget.value)} />
            </div>
            <SegmentedControl
              aria-label="Write as"
              value={text === undefined ? 'form' : 'yaml'}
              onChange={(v) => setText(v === 'yaml' ? (preview.data?.text ?? draft(apiVersion, kind, name)) : undefined)}
              data={[{ value: 'form', label: 'Form' }, { value: 'yaml', label: 'YAML' }]}
            />
            {text !== undefined ? (
              <>
                <YamlInput box={box} value={text} onChange={setText} />
                <p className={s.note}>Back in the form, what was written here is dropped.</p>
              </>
            ) : (
              <Await query={form} rows={6}>
                {(data) => (
                  <>
                    <div className={s.pair}>
                      <Select label="Kind" required allowDeselect={false} data={data.kinds} value={kind} onChange={(v) => void nav({ search: (o) => ({ ...o, kind: v ?? undefined }), replace: true })} />
                      <TextInput label="Name" required description="Letters, digits and dashes" inputWrapperOrder={['label', 'input', 'description', 'error']} value={name} onChange={(e) => set('/metadata/name', e.currentTarget.value || null)} />
                    </div>
                    {data.fields.map((f) => (
                      <FieldInput key={f.pointer} field={f} value={shownOf(f, at(document, f.pointer))} onChange={(v) => set(f.pointer, valueOf(f, v))} />
                    ))}
                  </>
                )}
              </Await>
            )}
          </div>
        </Panel>
        <PreviewPanel
          preview={started ? preview.data : undefined}
          error={started ? preview.error : null}
          stale={asked !== JSON.stringify(body) || preview.isFetching}
          idle="Choose a repository and a name: what would be in the file shows here."
          send={(how) => addEntity(preview.data?.etag ?? '', { ...body, how })}
          onLine={text === undefined ? undefined : (line) => goToLine(box, line)}
          onMoved={() => void preview.refetch()}
          back="/catalog"
        />
      </div>
    </Page>
  ) // prettier-ignore
}

const at = (document: Json, pointer: string): unknown => {
  const [, part = '', name = ''] = pointer.split('/')
  return (document[part] as Json | undefined)?.[name]
}

/** Only what the kind's form has: a field of the kind that was chosen before does not stay unseen. */
function fitting(document: Json, pointers: string[] | undefined): Json {
  const kept = ['/metadata/name', ...(pointers ?? [])].filter((p) => at(document, p) !== undefined)
  return kept.reduce((d, p) => withValue(d, p, at(document, p)), { metadata: {}, spec: {} } as Json)
}

const draft = (apiVersion: string, kind: string, name: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name || 'my-service'}\nspec:\n  type: service\n  lifecycle: experimental\n  owner: my-team\n`
