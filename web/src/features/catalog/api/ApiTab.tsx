/** An API's definition as people read it: operations, what goes in and out, and a request to try. */
import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { FileCode2, Search } from 'lucide-react'
import { type ReactNode, useMemo, useState } from 'react'
import { Await } from '~/components/RouteStates'
import { CodeBlock, EmptyState, Panel } from '~/ui/parts'
import type { TabProps } from '../EntityPage'
import a from './api.module.css'
import { type ApiModel, type Field, found, type Operation, type Shape } from './model'
import { READABLE, readDefinition } from './read'
import { TryIt } from './TryIt'

const route = getRouteApi('/app/catalog/$kind/$namespace/$name')
const MANY = 40
/** So many operations are found by looking. */
const FEW = 12

export default function ApiTab({ entity, entityRef }: TabProps) {
  const spec = (entity.spec ?? {}) as Record<string, unknown>
  const type = typeof spec.type === 'string' ? spec.type.toLowerCase() : ''
  const text = typeof spec.definition === 'string' ? spec.definition : ''
  const readable = READABLE.has(type)
  const query = useQuery({
    queryKey: ['api-model', entityRef, type, text],
    queryFn: () => readDefinition(type, text),
    enabled: readable && Boolean(text),
    retry: false,
    staleTime: Infinity,
  })
  if (!text)
    return (
      <EmptyState icon={FileCode2} title="No definition">
        spec.definition of its catalog-info.yaml holds the OpenAPI, AsyncAPI, GraphQL or proto file, or points to it with $text.
      </EmptyState>
    )
  const source = (
    <Panel title="As written" pad={12}>
      <CodeBlock code={text} label="Definition as written" />
    </Panel>
  )
  if (!readable) return source
  if (query.error)
    return (
      <>
        <p role="alert" className={a.bad}>The definition is not valid {type}: <span className="mono">{query.error.message}</span></p>
        {source}
      </>
    ) // prettier-ignore
  return (
    <Await query={query} rows={8}>
      {(model) => <Model model={model} tries={type === 'openapi' || type === 'swagger'} source={source} />}
    </Await>
  )
}

function Model({ model, tries, source }: { model: ApiModel; tries: boolean; source: ReactNode }) {
  const [raw, setRaw] = useState(false)
  const [find, setFind] = useState('')
  const all = model.groups.reduce((n, g) => n + g.operations.length, 0)
  const groups = useMemo(() => found(model, find.trim().toLowerCase()), [model, find])
  const shown = groups.reduce((n, g) => n + g.operations.length, 0)
  return (
    <div className={a.model}>
      <Panel
        title={[model.title, model.version].filter(Boolean).join(' ') || 'API'}
        right={<Button size="xs" variant="default" aria-pressed={raw} onClick={() => setRaw(!raw)}>{raw ? 'Hide the text' : 'Show as written'}</Button>}
        pad={14}
      >
        {model.description && <p className={a.text}>{model.description}</p>}
        <p className="t2" style={{ margin: 0 }}>{all} {all === 1 ? 'operation' : 'operations'}, {model.shapes.length} {model.shapes.length === 1 ? 'type' : 'types'}</p>
        {model.servers.length > 0 && (
          <ul className={a.servers} aria-label="Servers">
            {model.servers.map((s) => <li key={s.url}><code className="mono">{s.url}</code> {s.description && <span className="t2">{s.description}</span>}</li>)}
          </ul>
        )}
      </Panel>
      {raw && source}
      {all > FEW && (
        <div className={a.actions}>
          <TextInput w={230} placeholder="Filter" aria-label="Filter operations" leftSection={<Search size={14} />} value={find} onChange={(e) => setFind(e.currentTarget.value)} styles={{ input: { height: 28, minHeight: 28 } }} />
          <span className="t3 num" role="status">{find.trim() && (shown ? `${shown} of ${all}` : 'No operation has this: loosen the filter.')}</span>
        </div>
      )}
      {groups.map((g) => (
        <Panel key={g.name} title={<>{g.name} <span className="t3 num">{g.operations.length}</span></>}>
          {g.operations.map((o) => <OperationRow key={o.id} operation={o} servers={tries ? model.servers : undefined} />)}
        </Panel>
      ))}
      {model.shapes.length > 0 && <Shapes shapes={model.shapes} />}
      {all === 0 && model.shapes.length === 0 && <EmptyState icon={FileCode2} title="Nothing is described yet" compact>The definition has no operations and no types.</EmptyState>}
    </div>
  ) // prettier-ignore
}

/** The URL names the operation that is open, so that it can be sent to somebody. */
function OperationRow({ operation: o, servers }: { operation: Operation; servers?: ApiModel['servers'] }) {
  const { page } = route.useSearch()
  const nav = route.useNavigate()
  const open = page === o.id
  return (
    <details className={a.row} open={open}>
      <summary
        onClick={(e) => {
          e.preventDefault()
          void nav({ search: (s) => ({ ...s, page: open ? undefined : o.id }), replace: true, resetScroll: false })
        }}
      >
        <span className={a.verb} data-verb={o.verb.toLowerCase()}>{o.verb}</span>
        <code className={a.path}>{o.title}</code>
        {o.deprecated && <span className={a.old}>deprecated</span>}
        <span className="t2 trunc">{o.summary ?? o.description}</span>
      </summary>
      {open && (
        <div className={a.inside}>
          {o.description && <p className={a.text}>{o.description}</p>}
          {o.inputs.length > 0 && <Fields title="Parameters" fields={o.inputs} />}
          {o.body && <Fields title={`Body: ${o.body.type}`} fields={o.body.fields} />}
          {o.answers.map((x) => (
            <section key={x.name}>
              <h3><span className="mono">{x.name}</span> {x.type && <code className="mono t2">{x.type}</code>} <span className="t2">{x.description}</span></h3>
              {x.fields && x.fields.length > 0 && <Fields fields={x.fields} label={`Fields of ${x.name}`} />}
            </section>
          ))}
          {servers && <TryIt operation={o} servers={servers} />}
        </div>
      )}
    </details>
  ) // prettier-ignore
}

function Fields({ title, fields, label }: { title?: string; fields: Field[]; label?: string }) {
  return (
    <section>
      {title && <h3>{title}</h3>}
      {fields.length > 0 && (
        <dl className={a.fields} aria-label={label ?? title}>
          {fields.map((f, i) => (
            <div key={`${f.name} ${i}`}>
              <dt><code className="mono">{f.name}</code>{f.required && <span className={a.must}>required</span>}{f.place && <span className="t3">{f.place}</span>}</dt>
              <dd><code className="mono t2">{f.type}</code> {f.description}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  ) // prettier-ignore
}

function Shapes({ shapes }: { shapes: Shape[] }) {
  const [all, setAll] = useState(false)
  return (
    <Panel title={<>Types <span className="t3 num">{shapes.length}</span></>}>
      {(all ? shapes : shapes.slice(0, MANY)).map((x, i) => (
        <details key={`${x.name} ${i}`} className={a.row}>
          <summary><code className={a.path}>{x.name}</code> <span className="t3">{x.what}</span> <span className="t2 trunc">{x.description}</span></summary>
          <div className={a.inside}>
            <Fields fields={x.fields} label={`Fields of ${x.name}`} />
            {x.values && <p className="mono" style={{ margin: 0, overflowWrap: 'anywhere' }}>{x.values.join(' | ')}</p>}
          </div>
        </details>
      ))}
      {!all && shapes.length > MANY && <div style={{ padding: 12 }}><Button size="xs" variant="default" onClick={() => setAll(true)}>Show all {shapes.length}</Button></div>}
    </Panel>
  ) // prettier-ignore
}
