/** What a plan says: names, checks, resources and files. The wizard shows it before anything exists, a run shows the one it keeps. */
import { FileCode2, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import type { Plan, PlanFile } from '~/api/types'
import { CodeBlock, Panel } from '~/ui/parts'
import { StepIcon, words } from '~/ui/Status'
import { bytes, count } from '~/ui/time'
import s from './plan.module.css'

export function PlanParts({ plan }: { plan: Plan }) {
  return (
    <>
      <Checks plan={plan} />
      {plan.resources.length > 0 && (
        <Panel title="Resources">
          {plan.resources.map((r) => (
            <div key={r.type + r.name} className={s.line}>
              <span className={s.what}>{r.type}</span>
              <span className="t2">{r.name}</span>
              {r.class && r.class !== 'default' && <span className="mono t3">{r.class}</span>}
            </div>
          ))}
        </Panel>
      )}
      <PlanFiles files={plan.files} />
      <div className="t3 mono trunc" style={{ fontSize: 11.5 }} title={plan.hash}>
        plan {plan.hash.replace(/^sha256:/, '').slice(0, 16)}
      </div>
    </>
  )
}

function Checks({ plan }: { plan: Plan }) {
  if (!plan.checks.length && !plan.names.length) return null
  return (
    <Panel title="Checks" icon={ShieldCheck}>
      {plan.names.map((n) => (
        <div key={n.kind + n.name} className={s.line}>
          <StepIcon state={n.taken ? 'failed' : 'passed'} size={15} />
          <span className={s.what}>
            {n.kind} <span className="mono">{n.name}</span>
          </span>
          <span className={n.taken ? s.bad : 't2'}>{n.taken ? 'taken: choose another name' : 'free'}</span>
        </div>
      ))}
      {plan.checks.map((c) => (
        <div key={c.id} className={s.line}>
          <StepIcon state={c.verdict} size={15} />
          <span className={s.what}>
            {c.title}
            {c.detail && <span className={s.detail}>{c.detail}</span>}
          </span>
          <span className={c.verdict === 'failed' ? s.bad : 't2'}>{words(c.verdict)}</span>
        </div>
      ))}
    </Panel>
  )
}

const decode = (b64: string): string => {
  const raw = Uint8Array.from(atob(b64), (c) => c.charCodeAt(0))
  const text = new TextDecoder().decode(raw)
  return text.includes('\0') ? '(binary file)' : text
}

/** With content the list opens files; a stored plan has names and sizes only. */
export function PlanFiles({ files }: { files: PlanFile[] }) {
  const [open, setOpen] = useState(files.find((f) => /readme\.md$/i.test(f.path))?.path ?? files[0]?.path)
  if (!files.length) return null
  const readable = files.some((f) => typeof f.content_base64 === 'string')
  const file = files.find((f) => f.path === open)
  return (
    <Panel title={`${count(files.length)} ${files.length === 1 ? 'file' : 'files'}`} icon={FileCode2}>
      {readable ? (
        <div className={s.files}>
          <ul aria-label="Files" tabIndex={0}>
            {files.map((f) => (
              <li key={f.path}>
                <button type="button" aria-current={f.path === open || undefined} onClick={() => setOpen(f.path)} title={f.path}>
                  <span className={s.path}>{f.path}</span>
                  <span className="t3 num">{bytes(f.size)}</span>
                </button>
              </li>
            ))}
          </ul>
          {file && <CodeBlock label={file.path} code={file.content_base64 ? decode(file.content_base64) : '(empty file)'} />}
        </div>
      ) : (
        <ul aria-label="Files" className={s.names}>
          {files.map((f) => (
            <li key={f.path}>
              <span className="mono">{f.path}</span>
              <span className="t3 num">{bytes(f.size)}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
