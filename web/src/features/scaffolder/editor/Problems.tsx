/** What `taxiway template lint` says of the files as they are, each with its line. */
import { CircleAlert, CircleCheck, Info, ListChecks, TriangleAlert } from 'lucide-react'
import { Refusal } from '~/components/Refusal'
import { Skeletons } from '~/components/RouteStates'
import { Panel } from '~/ui/parts'
import s from './editor.module.css'
import type { Work } from './useWork'

const LEVELS = {
  error: ['Error', CircleAlert],
  warning: ['Warning', TriangleAlert],
  note: ['Note', Info],
} as const

export function Problems({ work, onOpen }: { work: Work; onOpen: (path: string, line: number) => void }) {
  const { lint, isJudged } = work
  const found = lint.data?.findings
  const counts = (['error', 'warning', 'note'] as const).map((level) => [level, found?.filter((f) => f.level === level).length ?? 0] as const) // prettier-ignore
  const told = counts.filter(([, n]) => n).map(([level, n]) => `${n} ${level}${n === 1 ? '' : 's'}`)
  return (
    <Panel
      title="Problems"
      icon={ListChecks}
      right={
        <span role="status" className="t2 num">
          {!isJudged && !lint.error ? 'looking…' : found ? told.join(', ') || 'none' : ''}
        </span>
      }
    >
      {lint.error ? (
        <div className={s.pad}>
          <Refusal error={lint.error} />
        </div>
      ) : !found ? (
        <div className={s.pad}>
          <Skeletons rows={2} />
        </div>
      ) : found.length ? (
        <ul className={s.problems} aria-label="Problems" tabIndex={0} data-old={!isJudged || undefined}>
          {found.map((f, i) => {
            const [word, Icon] = LEVELS[f.level]
            return (
              <li key={i} data-level={f.level}>
                <Icon size={15} aria-label={word} />
                <div>
                  <button type="button" className={s.line} onClick={() => onOpen(f.path, f.line ?? 1)}>
                    {f.path}
                    {f.line !== null && `:${f.line}`}
                  </button>{' '}
                  <span>{f.message}.</span> <span className="t2">{f.remedy}</span>
                </div>
              </li>
            )
          })}
        </ul>
      ) : (
        <p className={s.good}>
          <CircleCheck size={15} aria-hidden /> Nothing is wrong with it.
        </p>
      )}
    </Panel>
  )
}
