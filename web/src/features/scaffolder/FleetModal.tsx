import { Button, Modal, NumberInput, Select } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { GitPullRequestArrow } from 'lucide-react'
import { useState } from 'react'
import { startFleet } from '~/api/mutations'
import { behindQuery, upgradePlanQuery } from '~/api/queries'
import type { Json } from '~/api/types'
import { Refusal } from '~/components/Refusal'
import { count } from '~/ui/time'
import { UpgradeQuestions } from './UpgradeQuestions'
import s from './upgrades.module.css'

type Props = { paths: { value: string; label: string }[]; chosen: string | undefined; onClose: () => void }
const NOTHING: Json = {}
type Settings = { canary: number; pace: number; stop_after_failures: number }
const FIELDS: [keyof Settings, string, string, number, number][] = [
  ['canary', 'Canaries', 'Go first; nobody else begins before they succeeded.', 0, 100],
  ['pace', 'At once', 'Upgrades under way at the same time.', 1, 50],
  ['stop_after_failures', 'Stop after failures', 'No further service begins after that many.', 1, 1000],
]

/** One run that proposes the newest version of a golden path to every service that lags behind. */
export default function FleetModal({ paths, chosen, onClose }: Props) {
  const nav = useNavigate()
  const [template, setTemplate] = useState<string | null>(chosen ?? (paths.length === 1 ? (paths[0]?.value ?? null) : null))
  const [values, setValues] = useState<Settings>({ canary: 1, pace: 5, stop_after_failures: 1 })
  const behind = useQuery({ ...behindQuery(template ?? ''), enabled: template !== null })
  const first = behind.data?.items[0]?.subject
  const plan = useQuery({ ...upgradePlanQuery(first ?? '', NOTHING), enabled: template !== null && first !== undefined })
  const questions = first && plan.data?.template === template ? plan.data.questions : []
  const [answered, setAnswered] = useState<{ template: string | null; answers: Json }>()
  const answers = answered?.template === template ? answered?.answers : undefined
  const waits = answers === undefined && questions.some((q) => q.problem)
  const start = useMutation({
    mutationFn: (template_ref: string) => startFleet({ template_ref, ...values, answers: answers ?? {} }),
    onSuccess: ({ id }) => nav({ to: '/runs/$id', params: { id } }),
  })
  const found = behind.data?.items.length ?? 0
  const many = `${count(found)}${behind.data?.next_cursor ? ' or more' : ''}`
  return (
    <Modal opened onClose={onClose} title="Upgrade a fleet" size={460}>
      {/* no form of its own: the questions are one */}
      <div className={s.form}>
        <Select label="Golden path" data={paths} value={template} onChange={setTemplate} searchable required placeholder="Choose one" />
        {FIELDS.map(([key, label, description, min, max]) => (
          <NumberInput
            key={key}
            label={label}
            description={description}
            size="sm"
            min={min}
            max={max}
            allowDecimal={false}
            clampBehavior="strict"
            value={values[key]}
            onChange={(v) => setValues((o) => ({ ...o, [key]: typeof v === 'number' ? v : min }))}
          />
        ))}
        {questions.length > 0 && (
          <UpgradeQuestions
            key={template}
            questions={questions}
            action={answers === undefined ? 'Answer for all of them' : 'Answer again'}
            onAnswer={(given) => setAnswered({ template, answers: given })}
          />
        )}
        <div className="t2" role="status">
          {template === null
            ? 'Each service gets a pull request of its own.'
            : behind.isPending
              ? 'Looking who lags behind…'
              : behind.error
                ? 'It could not be told who lags behind.'
                : found
                  ? waits
                    ? 'The new version asks something: answer it for all of them.'
                    : `${many} ${found === 1 ? 'service lags' : 'services lag'} behind: each gets a pull request of its own.`
                  : 'No service lags behind it.'}
        </div>
        <Refusal error={start.error} />
        <div className={s.foot}>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button leftSection={<GitPullRequestArrow size={15} />} disabled={!template || !found || waits} loading={start.isPending} onClick={() => template && start.mutate(template)}>
            Start
          </Button>
        </div>
      </div>
    </Modal>
  ) // prettier-ignore
}
