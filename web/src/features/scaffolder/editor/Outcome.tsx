/** What a dry run of the template made: what the change makes different, every file, the log and the output. */
import { Button } from '@mantine/core'
import { ClipboardList, FileDiff, ScrollText, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { asApiError } from '~/api/errors'
import type { DryRun } from '~/api/types'
import { Detail } from '~/components/Detail'
import { FileBox } from '~/components/FileDiff'
import { PlanFiles } from '~/components/PlanParts'
import { ErrorState, Skeletons } from '~/components/RouteStates'
import { CodeBlock, EmptyState, Panel } from '~/ui/parts'
import { amount } from '~/ui/time'
import s from './editor.module.css'
import { changesOf, type EditorFile } from './files'
import type { Work } from './useWork'

export function Outcome({ work, onForm }: { work: Work; onForm: () => void }) {
  const { lint, missing, tried, isTried, plain } = work
  if (lint.error) return <Panel><ErrorState error={lint.error} retry={() => void lint.refetch()} compact /></Panel>
  if (lint.data && !lint.data.template)
    return <Told icon={TriangleAlert} title="It cannot be tried yet">{lint.data.reason}</Told>
  if (missing.length)
    return (
      <Told icon={ClipboardList} title="Some answers are missing" action={<Button variant="default" onClick={onForm}>To the form</Button>}>
        {missing.map((q) => <div key={q.title + q.message}><b>{q.title}</b>: {q.message}</div>)}
      </Told>
    )
  if (tried.error) return <Refused error={tried.error} retry={() => void tried.refetch()} />
  if (!tried.data) return <Panel pad={14}><Skeletons rows={6} /></Panel>
  const made = tried.data
  return (
    <div className={s.results} data-old={!isTried || undefined}>
      <p role="status" className={s.summary}>
        {isTried ? `Tried with your answers: ${amount(made.directoryContents.length, 'file')}, ${amount(made.steps.length, 'step')}. Nothing was made.` : 'Trying it again…'}
      </p>
      {plain && <Difference made={made} plain={plain} />}
      {made.directoryContents.length ? (
        <PlanFiles files={made.directoryContents.map((f) => ({ path: f.path, size: sizeOf(f.base64Content), executable: f.executable, content_base64: f.base64Content }))} />
      ) : (
        <Panel><EmptyState icon={FileDiff} title="It writes no files" compact>Its steps work elsewhere: the log tells more.</EmptyState></Panel>
      )}
      <Panel title="Log" icon={ScrollText}>
        {made.log.length ? (
          <ol className={s.log} role="log" aria-label="Log of the dry run" tabIndex={0}>
            {made.log.map((line, i) => <li key={i}><span className="t2">{line.body.stepId}</span> <span>{line.body.message}</span></li>)}
          </ol>
        ) : (
          <p className={s.good}>No step wrote anything.</p>
        )}
      </Panel>
      {Object.keys(made.output).length > 0 && <Panel title="Output"><CodeBlock label="Output" code={JSON.stringify(made.output, null, 2)} /></Panel>}
    </div>
  )
} // prettier-ignore

const sizeOf = (base64: string) =>
  Math.floor((base64.length * 3) / 4) - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0)

function Told({ icon, title, children, action }: { icon: typeof FileDiff; title: string; children: ReactNode; action?: ReactNode }) {
  return <Panel><EmptyState icon={icon} title={title} action={action} compact>{children}</EmptyState></Panel>
} // prettier-ignore

/** A template that a step refuses is a step on the way, not a failure of the page. */
function Refused({ error: raw, retry }: { error: unknown; retry: () => void }) {
  const error = asApiError(raw)
  if (error.status !== 400 && error.status !== 422)
    return <Panel><ErrorState error={raw} retry={retry} compact /></Panel>
  return (
    <Told icon={TriangleAlert} title="With these answers it would fail">
      <Detail error={error} />
      {error.errors.map((e) => <div key={e.pointer + e.detail}><code className="mono">{e.pointer}</code> {e.detail}</div>)}
    </Told>
  )
} // prettier-ignore

/** The same answers, before the change and with it. */
function Difference({ made, plain }: { made: DryRun; plain: NonNullable<Work['plain']> }) {
  if (plain.error)
    return <p className={s.stale}>There is nothing to compare with: before your change these answers were refused.</p>
  if (!plain.data) return null
  const changes = changesOf(filesOf(plain.data), filesOf(made))
  return (
    <Panel title={changes.length ? `What your change makes different: ${amount(changes.length, 'file')}` : 'Your change makes the same files'} icon={FileDiff}>
      {changes.length > 0 && <div className={s.pad}>{changes.map((f) => <FileBox key={f.path} file={f} />)}</div>}
    </Panel>
  )
} // prettier-ignore

const decoder = new TextDecoder('utf-8', { fatal: true })
const filesOf = (run: DryRun): EditorFile[] =>
  run.directoryContents.map((f) => ({ path: f.path, executable: f.executable, ...contentOf(f.base64Content) }))

function contentOf(base64: string): Pick<EditorFile, 'text' | 'base64'> {
  try {
    const text = decoder.decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)))
    return text.includes('\0') ? { text: null, base64 } : { text, base64: null }
  } catch {
    return { text: null, base64 } // no text
  }
}
