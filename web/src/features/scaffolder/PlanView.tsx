import { useState } from 'react'
import { FileCode2, ShieldCheck } from 'lucide-react'
import type { Json, Plan, PlanFile } from '~/api/types'
import { ErrorState, Skeletons } from '~/components/RouteStates'
import { CodeBlock, Panel } from '~/ui/parts'
import { StepIcon, words } from '~/ui/Status'
import { bytes, count } from '~/ui/time'
import s from './scaffolder.module.css'
import type { splitStep } from './template-schema'

type Step = { title: string } & ReturnType<typeof splitStep>
type Props = { plan?: Plan; error: unknown; pending: boolean; retry: () => void; values: Json; steps: Step[] }

/** The dry run: names, checks, resources and every file, before anything exists. */
export function PlanView({ plan, error, pending, retry, values, steps }: Props) {
  return (
    <div className={s.planView}>
      <Answers values={values} steps={steps} />
      {error ? (
        <ErrorState error={error} retry={retry} compact />
      ) : pending || !plan ? (
        <Skeletons rows={6} />
      ) : (
        <PlanParts plan={plan} />
      )}
    </div>
  )
}

function Answers({ values, steps }: { values: Json; steps: Step[] }) {
  const titles = new Map(
    steps.flatMap((x) =>
      Object.entries(x.schema.properties ?? {}).map(([k, v]) => [k, (typeof v === 'object' && v.title) || k] as const),
    ),
  )
  const rows = Object.entries(values).filter(([, v]) => v !== undefined && v !== '')
  const show = (v: unknown) => (v === true ? 'yes' : v === false ? 'no' : typeof v === 'object' ? JSON.stringify(v) : String(v))
  return (
    <dl className={s.review}>
      {rows.map(([k, v]) => (
        <div key={k}>
          <dt>{titles.get(k) ?? k}</dt>
          <dd>{show(v)}</dd>
        </div>
      ))}
    </dl>
  )
}

function PlanParts({ plan }: { plan: Plan }) {
  return (
    <>
      {(plan.checks.length > 0 || plan.names.length > 0) && (
        <Panel title="Checks" icon={ShieldCheck}>
          {plan.names.map((n) => (
            <div key={n.kind + n.name} className={s.line}>
              <StepIcon state={n.taken ? 'failed' : 'passed'} size={15} />
              <span style={{ flex: 1 }}>
                {n.kind} <span className="mono">{n.name}</span>
              </span>
              <span className={n.taken ? s.bad : 't2'}>{n.taken ? 'taken: choose another name' : 'free'}</span>
            </div>
          ))}
          {plan.checks.map((c) => (
            <div key={c.id} className={s.line}>
              <StepIcon state={c.verdict} size={15} />
              <span style={{ flex: 1 }}>
                {c.title}
                {c.detail && <span className="t2"> · {c.detail}</span>}
              </span>
              <span className={c.verdict === 'failed' ? s.bad : 't2'}>{words(c.verdict)}</span>
            </div>
          ))}
        </Panel>
      )}
      {plan.resources.length > 0 && (
        <Panel title="Resources">
          {plan.resources.map((r) => (
            <div key={r.type + r.name} className={s.line}>
              <span style={{ fontWeight: 500, flex: 1 }}>{r.type}</span>
              <span className="t2">{r.name}</span>
              <span className="mono t3">{r.driver}</span>
            </div>
          ))}
        </Panel>
      )}
      <Files files={plan.files} />
      <div className="t3 mono" style={{ fontSize: 11.5 }}>
        plan {plan.hash.slice(0, 16)}
      </div>
    </>
  )
}

const decode = (b64: string): string => {
  const raw = Uint8Array.from(atob(b64), (c) => c.charCodeAt(0))
  const text = new TextDecoder().decode(raw)
  return text.includes('\0') ? '(binary file)' : text
}
function Files({ files }: { files: PlanFile[] }) {
  const [open, setOpen] = useState(files.find((f) => /readme\.md$/i.test(f.path))?.path ?? files[0]?.path)
  const file = files.find((f) => f.path === open)
  if (!files.length) return null
  return (
    <Panel title={`${count(files.length)} files`} icon={FileCode2}>
      <div className={s.files}>
        <ul aria-label="Files">
          {files.map((f) => (
            <li key={f.path}>
              <button type="button" aria-current={f.path === open || undefined} onClick={() => setOpen(f.path)}>
                <span className="trunc">{f.path}</span>
                <span className="t3 num">{bytes(f.size)}</span>
              </button>
            </li>
          ))}
        </ul>
        {file && (
          <CodeBlock
            label={file.path}
            code={file.content_base64 ? decode(file.content_base64) : `${bytes(file.size)}, content is not part of this preview`}
          />
        )}
      </div>
    </Panel>
  )
}
