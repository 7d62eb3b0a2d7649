import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ExternalLink } from 'lucide-react'
import { lazy, Suspense, useEffect, useState } from 'react'
import { recentRunsQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import type { Run, RunStep } from '~/api/types'
import { EntityLink } from '~/components/EntityLink'
import { LogPanel } from '~/components/LogPanel'
import { PlanParts } from '~/components/PlanParts'
import { Ago } from '~/ui/parts'
import { StateBadge, StepIcon } from '~/ui/Status'
import { between, seconds } from '~/ui/time'
import { Approval } from './Approval'
import { errorText } from './errors'
import s from './run.module.css'
import { RunActions } from './RunActions'
import { Subject } from '~/components/Subject'
import { hasEnded, useRun } from './useRun'

const Markdown = lazy(() => import('~/components/Markdown'))
const route = getRouteApi('/app/runs/$id')

/** The step to look at: the chosen one, else where something happens, else the failed one, else the last that ran. */
export function stepToShow(steps: RunStep[], chosen: string | undefined): RunStep | undefined {
  const active = ['running', 'waiting', 'interrupted', 'failed']
  return (
    steps.find((x) => x.id === chosen) ??
    active.map((st) => steps.find((x) => x.state === st)).find(Boolean) ??
    [...steps].reverse().find((x) => x.started_at && x.action !== 'taxiway-output') ??
    steps[0]
  )
}

export function RunPage() {
  const { id } = route.useParams()
  const { step: chosen, tab } = route.useSearch()
  const nav = route.useNavigate()
  const { run, lines } = useRun(id)
  const steps = run.steps ?? []
  const current = stepToShow(steps, chosen)
  useTick(!hasEnded(run))
  const shown = current ? lines.filter((l) => !l.step_id || l.step_id === current.id) : lines
  const done = steps.filter((x) => ['succeeded', 'skipped'].includes(x.state)).length
  const trouble = errorText(run.error)
  return (
    <div className={s.page}>
      <header className={s.head}>
        <div style={{ flex: 1, minWidth: 0 }}>
          <div className={s.h1}>
            <h1>{run.title}</h1>
            <span role="status"><StateBadge state={run.state} /></span>
          </div>
          <div className={s.meta}>
            <span>{run.kind}</span>
            {run.subject_ref && <Subject subject={run.subject_ref} />}
            {run.created_by && <span>by {shortRef(run.created_by)}</span>}
            <span>started <Ago at={run.started_at ?? run.created_at} /></span>
            {run.started_at && <span className="num">{seconds(between(run.started_at, run.ended_at))}</span>}
            {run.parent_id && <Link to="/runs/$id" params={{ id: run.parent_id }} className={s.link}>part of another run</Link>}
            <span className="mono t3">{run.id}</span>
          </div>
        </div>
        <RunActions run={run} />
      </header>
      <div className={s.gantt} aria-hidden>
        {steps.map((x) => (
          <span key={x.id} data-s={x.state} style={{ flexGrow: Math.max(3, Math.min(60, (between(x.started_at, x.ended_at) ?? 3) * 2)) }} title={x.name} />
        ))}
      </div>
      {trouble && (
        <div className={s.trouble} role="alert">
          <b>{run.state === 'needs_attention' ? 'This run needs a decision' : 'It failed'}</b> {trouble}
        </div>
      )}
      {run.actions?.includes('approve') && <Approval id={run.id} step={steps.find((x) => x.state === 'waiting')?.name} />}
      {run.plan && (
        <div className={s.tabs}>
          <SegmentedControl
            value={tab === 'plan' ? 'plan' : 'steps'}
            aria-label="What to show"
            data={[{ value: 'steps', label: 'Steps and output' }, { value: 'plan', label: `Plan, ${run.plan.files.length} files` }]}
            onChange={(v) => void nav({ search: (o) => ({ ...o, tab: v === 'plan' ? v : undefined }), replace: true })}
          />
        </div>
      )}
      {run.plan && tab === 'plan' ? (
        <div className={s.plan}><PlanParts plan={run.plan} /></div>
      ) : (
      <div className={s.body}>
        <div className={s.steps}>
          <h2 className={s.cap}>Steps <span className="t3 num">{done} of {steps.length}</span></h2>
          <ol>
            {steps.map((x) => (
              <li key={x.id}>
                <button
                  type="button"
                  className={s.step}
                  data-on={x.id === current?.id || undefined}
                  data-q={x.state === 'pending' || undefined}
                  aria-current={x.id === current?.id ? 'step' : undefined}
                  onClick={() => void nav({ search: (o) => ({ ...o, step: x.id }), replace: true })}
                >
                  <StepIcon state={x.state} />
                  <span style={{ flex: 1, minWidth: 0 }}>
                    <span className="trunc" style={{ display: 'block', fontWeight: 500 }}>{x.name}</span>
                    <span className="mono t3 trunc" style={{ display: 'block', fontSize: 11 }}>
                      {x.action}
                      {x.attempt > 1 && ` · attempt ${x.attempt}`}
                    </span>
                  </span>
                  <span className="t3 num">{x.started_at ? seconds(between(x.started_at, x.ended_at)) : ''}</span>
                </button>
              </li>
            ))}
            {!steps.length && <li className="t2" style={{ padding: '4px 10px' }}>The steps appear when a worker takes the run.</li>}
          </ol>
          <Made step={current} />
          <Children id={run.id} />
          <Outputs run={run} />
        </div>
        <div className={s.logCol}>
          {current?.error && !trouble.includes(current.error) && <div className={s.trouble}>{errorText(current.error)}</div>}
          <LogPanel
            title={<>{current && <StepIcon state={current.state} size={15} />}<b>{current?.name ?? 'Log'}</b></>}
            lines={shown}
            name={`${run.id}-${current?.id ?? 'run'}`}
            label={`Output of ${current?.name ?? 'the run'}`}
            empty={current?.state === 'pending' ? 'This step has not started.' : hasEnded(run) ? 'This step wrote nothing itself; runs that it started have logs of their own.' : 'This step wrote nothing yet.'}
          />
        </div>
      </div>
      )}
    </div>
  ) // prettier-ignore
}

/** Renders again each second while something runs, so that durations move. */
function useTick(on: boolean) {
  const [, set] = useState(0)
  useEffect(() => {
    if (!on) return
    const id = setInterval(() => set((n) => n + 1), 1000)
    return () => clearInterval(id)
  }, [on])
}

/** What the shown step has made, and what an undo would take away again. */
function Made({ step }: { step: RunStep | undefined }) {
  const made = (step?.created ?? []).filter((c) => typeof c.name === 'string')
  if (!made.length) return null
  return (
    <>
      <h2 className={s.cap} style={{ marginTop: 14 }}>Made by this step</h2>
      <ul className={s.made}>
        {made.map((c, i) => (
          <li key={i}><span className="t2">{String(c.kind)}</span> <span className="mono">{String(c.name)}</span></li>
        ))}
      </ul>
    </>
  ) // prettier-ignore
}

/** Runs that this one has started: a deployment has steps and a log of its own. */
function Children({ id }: { id: string }) {
  const { data } = useQuery(recentRunsQuery({ parent_id: id, limit: 20 }))
  if (!data?.items.length) return null
  return (
    <>
      <h2 className={s.cap} style={{ marginTop: 14 }}>Runs it started</h2>
      <div className={s.outs}>
        {data.items.map((r) => (
          <Link key={r.id} to="/runs/$id" params={{ id: r.id }} title={r.title}><StepIcon state={r.state} size={14} /> <span className="trunc">{r.title}</span></Link>
        ))}
      </div>
    </>
  ) // prettier-ignore
}

function Outputs({ run }: { run: Run }) {
  const links = (run.output?.links ?? []).filter((l) => l.entityRef || /^https?:\/\//.test(l.url ?? ''))
  const texts = run.output?.text ?? []
  if (!links.length && !texts.length) return null
  return (
    <>
      <h2 className={s.cap} style={{ marginTop: 14 }}>Outputs</h2>
      <div className={s.outs}>
        {links.map((l, i) =>
          l.entityRef ? (
            <EntityLink key={i} entity={l.entityRef} title={l.title} />
          ) : (
            <a key={i} href={l.url} target="_blank" rel="noreferrer"><ExternalLink size={13} aria-hidden /> {l.title ?? l.url}</a>
          ),
        )}
        {texts.map((t, i) => (
          <div key={i} className={s.text}>
            <b>{t.title}</b>
            <Suspense fallback={null}><Markdown text={t.content ?? ''} /></Suspense>
          </div>
        ))}
      </div>
    </>
  ) // prettier-ignore
}
