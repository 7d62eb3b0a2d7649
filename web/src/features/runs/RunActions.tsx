import { Button, Checkbox, Modal } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Ban, type LucideIcon, Play, RotateCw, Undo2 } from 'lucide-react'
import { useState } from 'react'
import { operateRun } from '~/api/mutations'
import { undoPlanQuery } from '~/api/run-queries'
import type { Run, RunOperation } from '~/api/types'
import { notifyError } from '~/components/notify'
import { Refusal } from '~/components/Refusal'
import { useRefresh } from '~/components/RouteStates'
import { words } from '~/ui/Status'
import s from './run.module.css'

type Look = { label: string; icon: LucideIcon; bad?: boolean; keep?: string }
const LOOKS: Record<RunOperation, Look> = {
  retry: { label: 'Retry from the failed step', icon: RotateCw },
  resume: { label: 'Resume', icon: Play },
  undo: { label: 'Undo', icon: Undo2, bad: true, keep: 'Keep it' },
  cancel: { label: 'Cancel run', icon: Ban, bad: true, keep: 'Let it run' },
}
const ORDER: RunOperation[] = ['resume', 'retry', 'undo', 'cancel']

/** Only what the server says is possible in the present state. */
export function RunActions({ run }: { run: Run }) {
  const [asked, setAsked] = useState<RunOperation>()
  const [confirmed, setConfirmed] = useState<string[]>([])
  const refresh = useRefresh()
  const operate = useMutation({
    mutationFn: (op: RunOperation) => operateRun(run.id, op, op === 'undo' ? { confirm: confirmed } : undefined),
    onSuccess: () => refresh('run', 'runs'),
    onError: (e, op) => notifyError(`“${LOOKS[op].label}” was refused`, e),
    onSettled: () => setAsked(undefined),
  })
  // Not while it is being undone: then there is no plan any more.
  const plan = useQuery({ ...undoPlanQuery(run.id), enabled: asked === 'undo' && !operate.isPending })
  const changed = (asked === 'undo' && plan.data?.changed) || []
  const ready = asked !== 'undo' || (plan.isSuccess && changed.every((c) => confirmed.includes(c.name)))
  const possible = ORDER.filter((op) => run.actions?.includes(op))
  return (
    <div className={s.actions}>
      {possible.map((op) => {
        const { label, icon: Icon, bad } = LOOKS[op]
        return (
          <Button
            key={op}
            variant={bad ? 'default' : 'filled'}
            style={bad ? { color: 'var(--c-bad)' } : undefined}
            leftSection={<Icon size={15} />}
            loading={operate.isPending && operate.variables === op}
            onClick={() => {
              if (!bad) return operate.mutate(op)
              setConfirmed([])
              setAsked(op)
            }}
          >
            {label}
          </Button>
        )
      })}
      <Modal
        opened={asked !== undefined}
        onClose={() => setAsked(undefined)}
        title={asked && `${asked === 'undo' ? 'Undo' : 'Cancel'} “${run.title}”?`}
        size={460}
      >
        {asked && (
          <>
            <Consequences run={run} operation={asked} />
            {changed.length > 0 && (
              <Checkbox.Group
                label="This was changed since. Confirm each by its name, or keep it all."
                value={confirmed}
                onChange={setConfirmed}
                mb={12}
              >
                {changed.map((c) => (
                  <Checkbox
                    key={c.name}
                    value={c.name}
                    mt={8}
                    label={<span className="mono">{c.name}</span>}
                    description={c.reason}
                  />
                ))}
              </Checkbox.Group>
            )}
            {asked === 'undo' && <Refusal error={plan.error} />}
            <div className={s.modalFoot}>
              <Button variant="default" onClick={() => setAsked(undefined)} data-autofocus>
                {LOOKS[asked].keep}
              </Button>
              <Button
                variant="outline"
                color="red"
                loading={operate.isPending || (asked === 'undo' && plan.isFetching)}
                disabled={!ready}
                onClick={() => operate.mutate(asked)}
              >
                {LOOKS[asked].label}
              </Button>
            </div>
          </>
        )}
      </Modal>
    </div>
  )
}

/** What the run has made so far, last first: the order in which an undo takes it away. */
export const madeBy = (run: Run) =>
  [...(run.steps ?? [])].reverse().flatMap((step) =>
    [...(step.created ?? [])]
      .reverse()
      .filter((c) => typeof c.name === 'string')
      .map((c) => ({ kind: words(String(c.kind)), name: String(c.name) })),
  )

function Consequences({ run, operation }: { run: Run; operation: RunOperation }) {
  const made = madeBy(run)
  const now = run.steps?.find((x) => ['running', 'waiting'].includes(x.state))
  const undo = operation === 'undo'
  return (
    <>
      <p style={{ marginTop: 0 }}>
        {undo
          ? made.length
            ? 'This is removed again, in this order. What was there before the run stays.'
            : 'Its steps made nothing that an undo could remove. The run is marked as undone.'
          : `${now ? `The step “${now.name}” is ended with its processes and the runs that it started` : 'Its steps are not started'}. ${made.length ? 'What is made so far stays, and can be undone afterwards:' : 'Nothing has been made so far.'}`}
      </p>
      {made.length > 0 && (
        <ul className={s.consequences} aria-label={undo ? 'What is removed' : 'What stays'}>
          {made.map((c, i) => (
            <li key={i}>
              <span className="t2">{c.kind}</span> <span className="mono">{c.name}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
