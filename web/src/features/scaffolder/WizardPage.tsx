import { Button } from '@mantine/core'
import { useMutation, useQuery, useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { ArrowLeft, ArrowRight, Check, Rocket } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { draftQuery, tellPage } from '~/api/drafts'
import { newId } from '~/api/ids'
import { makePlan, startTask } from '~/api/mutations'
import { entityQuery, parameterSchemaQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import type { Deprecation, Draft, Json } from '~/api/types'
import { Refusal } from '~/components/Refusal'
import { Avatar } from '~/ui/Avatar'
import { EntityLink } from '~/components/EntityLink'
import { StatusBadge } from '~/ui/Status'
import { KindIcon } from '~/ui/KindIcon'
import { Page } from '~/ui/parts'
import { DraftTools } from './DraftTools'
import { dropDraft, readDraft, secretsOf, without, writeDraft } from './draft'
import { PlanView } from './PlanView'
import { Preview } from './Preview'
import s from './scaffolder.module.css'
import { StepForm, type StepFormRef } from './StepForm'
import { defaultsOf, splitStep } from './template-schema'

const route = getRouteApi('/app/create/$namespace/$name')

export function WizardPage() {
  const { draft } = route.useSearch()
  return draft ? <Resumed key={draft} id={draft} /> : <Wizard />
}

/** Goes on with a form that was kept. */
function Resumed({ id }: { id: string }) {
  const { data } = useSuspenseQuery(draftQuery(id))
  return <Wizard from={data} />
}

function Wizard({ from }: { from?: Draft }) {
  const { namespace, name } = route.useParams()
  const search = route.useSearch()
  const move = route.useNavigate()
  const { data: t } = useSuspenseQuery(parameterSchemaQuery(namespace, name))
  const template = useQuery(entityQuery({ kind: 'template', namespace, name }))
  const nav = useNavigate()
  const steps = useMemo(
    () => t.steps.map((p) => ({ title: p.title, description: p.description ?? '', ...splitStep(p.schema) })),
    [t],
  )
  const draftKey = `${namespace}/${name}`
  const [kept, setKept] = useState(from)
  const [draft] = useState(() => (from ? { ...from, wizard: newId() } : readDraft(draftKey)))
  const { wizard } = draft
  const [values, setValues] = useState<Json>(() => ({
    ...(Object.assign({}, ...steps.map((x) => defaultsOf(x.schema))) as Json),
    ...draft.values,
    ...given(search.formData),
  }))
  const [secrets, setSecrets] = useState<Record<string, string>>({})
  const [reached, setReached] = useState(Math.min(draft.reached, steps.length))
  const form = useRef<StepFormRef>(null)
  const at = Math.min((search.step ?? 1) - 1, reached) // a reload keeps the place only as far as the answers are known
  const templateRef = `template:${namespace}/${name}`
  const plan = useMutation({
    mutationFn: (v: Json) =>
      makePlan({ template_ref: templateRef, values: v, ...(Object.keys(secrets).length ? { secrets } : {}) }),
  })
  const start = useMutation({
    mutationFn: () =>
      startTask({
        templateRef,
        values,
        planHash: plan.data?.hash,
        draftId: kept?.id,
        wizardId: wizard,
        ...(Object.keys(secrets).length ? { secrets } : {}),
      }),
    onSuccess: ({ id }) => {
      dropDraft(draftKey)
      return nav({ to: '/runs/$id', params: { id } })
    },
  })
  const secretNames = useMemo(() => new Set(steps.flatMap((x) => secretsOf(x.schema, x.uiSchema))), [steps])
  useEffect(
    () => writeDraft(draftKey, { values: without(values, secretNames), reached, wizard }),
    [draftKey, values, reached, secretNames, wizard],
  )
  useEffect(() => void tellPage(wizard, templateRef, at), [wizard, templateRef, at])
  const askPlan = plan.mutate
  const open = useRef(false)
  useEffect(() => {
    if (at === steps.length && !open.current) askPlan(values)
    open.current = at === steps.length
  }, [at, steps.length, askPlan, values])
  const go = (i: number) => {
    setReached(Math.max(reached, i))
    void move({ search: { step: i + 1, draft: search.draft } })
  }
  const review = at === steps.length
  const current = steps[at]
  const spec = (template.data?.spec ?? {}) as { owner?: string; steps?: { id?: string; name?: string; action: string }[] }
  const blocked = plan.data?.checks.some((c) => c.verdict === 'failed') || plan.data?.names.some((n) => n.taken)
  return (
    <Page>
      <div className={s.wiz} data-review={review || undefined}>
        <aside className={s.rail} aria-label="Golden path">
          <KindIcon kind="template" size={40} />
          <h1>{t.title}</h1>
          <p className="t2">{t.description}</p>
          {spec.owner && <div className={s.facts}><span><Avatar name={shortRef(spec.owner)} square size={16} /> {shortRef(spec.owner)}</span></div>}
          {t['taxiway:deprecation'] && <DeprecationNotice of={t['taxiway:deprecation']} />}
          <ol className={s.steps}>
            {[...steps.map((x) => x.title), 'Review'].map((x, i) => (
              <li key={x} data-state={i < at ? 'done' : i === at ? 'now' : 'next'}>
                <button type="button" disabled={i > reached} onClick={() => go(i)} aria-current={i === at ? 'step' : undefined}>
                  <span className={s.bul}>{i < at ? <Check size={12} strokeWidth={3} aria-hidden /> : i + 1}</span>
                  {x}
                </button>
              </li>
            ))}
          </ol>
        </aside>
        <div className={s.form}>
          <div className={s.fhead}>
            <h2>{review ? 'Review' : current?.title}</h2>
            <p className="t2">{review ? 'Nothing has been created yet. This is what will be.' : current?.description}</p>
          </div>
          {review ? (
            <PlanView plan={plan.data} error={plan.error} pending={plan.isPending} retry={() => plan.mutate(values)} values={values} steps={steps} />
          ) : (
            current && (
              <StepForm
                key={at}
                step={current}
                form={form}
                context={{ values, secrets, setSecret: (k, v) => setSecrets((o) => ({ ...o, [k]: v })) }}
                onChange={(answers) => setValues((old) => ({ ...old, ...answers }))}
                onSubmit={() => go(at + 1)}
              />
            )
          )}
          <Refusal error={start.error} />
          <div className={s.actions}>
            {at > 0 && <Button variant="default" leftSection={<ArrowLeft size={14} />} onClick={() => go(at - 1)}>Back</Button>}
            <DraftTools templateRef={templateRef} kept={kept} answers={{ values: without(values, secretNames), reached: Math.min(reached, steps.length), wizard_id: wizard }} onKept={setKept} />
            <span style={{ flex: 1 }} />
            {review ? (
              <Button leftSection={<Rocket size={14} />} onClick={() => start.mutate()} loading={start.isPending} disabled={!plan.data || blocked}>Create</Button>
            ) : (
              <Button rightSection={<ArrowRight size={14} />} onClick={() => form.current?.submit()}>{at === steps.length - 1 ? 'Review' : 'Continue'}</Button>
            )}
          </div>
        </div>
        {!review && <Preview steps={spec.steps ?? []} values={values} />}
      </div>
    </Page>
  ) // prettier-ignore
}

/** Answers that a link gives; what is no JSON object gives none. */
function given(formData: string | undefined): Json {
  try {
    const found: unknown = JSON.parse(formData ?? '{}')
    return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Json) : {}
  } catch {
    return {}
  }
}

function DeprecationNotice({ of: x }: { of: Deprecation }) {
  return (
    <div className={s.deprecated} role="note">
      <StatusBadge tone="warn">{x.is_blocked ? 'makes nothing new any more' : x.deadline ? `deprecated, ends ${x.deadline}` : 'deprecated'}</StatusBadge>
      <p>{x.notice}</p>
      {x.replaced_by && <p>Use <EntityLink entity={x.replaced_by} /> instead.</p>}
    </div>
  )
} // prettier-ignore
