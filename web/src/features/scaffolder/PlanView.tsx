import type { Json, Plan } from '~/api/types'
import { PlanParts } from '~/components/PlanParts'
import { ErrorState, Skeletons } from '~/components/RouteStates'
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
