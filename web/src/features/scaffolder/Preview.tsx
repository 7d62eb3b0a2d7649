import type { Json } from '~/api/types'
import { StepIcon } from '~/ui/Status'
import s from './scaffolder.module.css'

type Step = { id?: string; name?: string; action: string }
/** What the path will do, named with what the form knows so far. */
export function Preview({ steps, values }: { steps: Step[]; values: Json }) {
  if (!steps.length) return null
  const name = typeof values.name === 'string' && values.name ? values.name : undefined
  return (
    <aside className={s.preview} aria-label="What you get">
      <h2>What you get</h2>
      <div className={s.plan}>
        {steps.map((x, i) => (
          <div key={x.id ?? i} className={s.prow}>
            <StepIcon state="pending" size={15} silent />
            <div style={{ minWidth: 0 }}>
              <div style={{ fontWeight: 500 }}>{x.name ?? x.id ?? x.action}</div>
              <div className="t3 mono trunc" style={{ fontSize: 11.5 }}>
                {x.action}
                {name && ['publish:git', 'catalog:register', 'taxiway:deploy'].includes(x.action) ? ` ${name}` : ''}
              </div>
            </div>
          </div>
        ))}
      </div>
      <p className="t2" style={{ margin: '14px 0 0', fontSize: 12 }}>
        Each step can be undone. The review shows the files, the names and the checks before anything is made.
      </p>
    </aside>
  )
}
