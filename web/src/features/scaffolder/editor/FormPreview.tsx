/** The form that the template asks now, by the wizard's own parts. Its answers go to the result. */
import { Button } from '@mantine/core'
import { CatchBoundary } from '@tanstack/react-router'
import { ArrowRight, ClipboardList, Play } from 'lucide-react'
import { useMemo, useRef, useState } from 'react'
import { asApiError } from '~/api/errors'
import type { ParameterSchema } from '~/api/types'
import { ErrorState, Skeletons } from '~/components/RouteStates'
import { EmptyState, Panel } from '~/ui/parts'
import { StepForm, type StepFormRef } from '../StepForm'
import { splitStep } from '../template-schema'
import s from './editor.module.css'
import type { Work } from './useWork'
import { useKept } from './useKept'

export default function FormPreview({ work, onTry }: { work: Work; onTry: () => void }) {
  const answer = work.lint.data
  const form = useKept(answer?.form)
  if (!form)
    return (
      <Panel pad={14}>
        {answer ? <EmptyState icon={ClipboardList} title="There is no form to show yet" compact>{answer.reason}</EmptyState> : work.lint.error ? <ErrorState error={work.lint.error} retry={() => void work.lint.refetch()} compact /> : <Skeletons rows={5} />}
      </Panel>
    ) // prettier-ignore
  return (
    <>
      {answer?.form === null && <p className={s.stale} role="status">The form as it was before: {answer.reason}</p>}
      <CatchBoundary getResetKey={() => JSON.stringify(form)} errorComponent={({ error }) => <Panel pad={14}><EmptyState icon={ClipboardList} title="This form cannot be shown" compact>{asApiError(error).detail}</EmptyState></Panel>}>
        <Pages form={form} work={work} onTry={onTry} />
      </CatchBoundary>
    </>
  )
} // prettier-ignore

function Pages({ form, work, onTry }: { form: ParameterSchema; work: Work; onTry: () => void }) {
  const [chosen, setAt] = useState(0)
  const pages = useMemo(() => form.steps.map((p) => ({ title: p.title, description: p.description, ...splitStep(p.schema) })), [form])
  const ref = useRef<StepFormRef>(null)
  const at = Math.min(chosen, pages.length - 1)
  const page = pages[at]
  const { values, secrets } = work.answers
  const { setAnswers } = work
  const isLast = at >= pages.length - 1
  const shape = JSON.stringify(form.steps[at]?.schema) // another schema is another form: what was tried is of the one before
  return (
    <Panel>
      {pages.length > 1 && (
        <ol className={s.pages} aria-label="Pages of the form">
          {pages.map((p, i) => (
            <li key={i}>
              <button type="button" aria-current={i === at ? 'step' : undefined} onClick={() => setAt(i)}>{i + 1}. {p.title}</button>
            </li>
          ))}
        </ol>
      )}
      {page ? (
        <div className={s.pad}>
          <h2 className={s.pageTitle}>{page.title}</h2>
          {page.description && <p className="t2" style={{ margin: '2px 0 14px' }}>{page.description}</p>}
          <StepForm
            key={`${at} ${shape}`}
            step={page}
            form={ref}
            context={{ values, secrets, setSecret: (k, v) => setAnswers((o) => ({ ...o, secrets: { ...o.secrets, [k]: v } })) }}
            onChange={(given) => setAnswers((o) => ({ ...o, values: { ...o.values, ...given } }))}
            onSubmit={() => (isLast ? onTry() : setAt(at + 1))}
          />
        </div>
      ) : (
        <EmptyState icon={ClipboardList} title="It asks nothing" compact>Without parameters it can be run as it is.</EmptyState>
      )}
      <div className={s.next}>
        <Button rightSection={isLast ? <Play size={14} /> : <ArrowRight size={14} />} onClick={() => (page ? ref.current?.submit() : onTry())}>{isLast ? 'Try it' : 'Continue'}</Button>
      </div>
    </Panel>
  )
} // prettier-ignore
