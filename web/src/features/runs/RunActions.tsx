import { Button, Modal } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Ban, type LucideIcon, Play, RotateCw, Undo2 } from 'lucide-react'
import { useState } from 'react'
import { operateRun } from '~/api/mutations'
import type { Run, RunOperation } from '~/api/types'
import { notifyError } from '~/components/notify'
import { useRefresh } from '~/components/RouteStates'
import s from './run.module.css'

type Look = { label: string; icon: LucideIcon; bad?: boolean; confirm?: string }
const LOOKS: Record<RunOperation, Look> = {
  retry: { label: 'Retry from the failed step', icon: RotateCw },
  resume: { label: 'Resume', icon: Play },
  undo: {
    label: 'Undo',
    icon: Undo2,
    bad: true,
    confirm: 'Everything that its steps made is removed again, in reverse order. What was there before stays.',
  },
  cancel: {
    label: 'Cancel run',
    icon: Ban,
    bad: true,
    confirm: 'Its processes are ended. What the finished steps made stays, and can be undone afterwards.',
  },
}
const ORDER: RunOperation[] = ['resume', 'retry', 'undo', 'cancel']

/** Only what the server says is possible in the present state. */
export function RunActions({ run }: { run: Run }) {
  const [asked, setAsked] = useState<RunOperation>()
  const refresh = useRefresh()
  const operate = useMutation({
    mutationFn: (op: RunOperation) => operateRun(run.id, op),
    onSuccess: () => refresh('run', 'runs'),
    onError: (e, op) => notifyError(`“${LOOKS[op].label}” was refused`, e),
    onSettled: () => setAsked(undefined),
  })
  const possible = ORDER.filter((op) => run.actions?.includes(op))
  return (
    <div className={s.actions}>
      {possible.map((op) => {
        const { label, icon: Icon, bad, confirm } = LOOKS[op]
        return (
          <Button
            key={op}
            variant={bad ? 'default' : 'filled'}
            style={bad ? { color: 'var(--c-bad)' } : undefined}
            leftSection={<Icon size={15} />}
            loading={operate.isPending && operate.variables === op}
            onClick={() => (confirm ? setAsked(op) : operate.mutate(op))}
          >
            {label}
          </Button>
        )
      })}
      <Modal
        opened={asked !== undefined}
        onClose={() => setAsked(undefined)}
        title={asked && `${LOOKS[asked].label}?`}
        size={420}
      >
        {asked && (
          <>
            <p style={{ marginTop: 0 }}>{LOOKS[asked].confirm}</p>
            <div className={s.modalFoot}>
              <Button variant="default" onClick={() => setAsked(undefined)}>
                Keep it
              </Button>
              <Button
                variant="outline"
                color="red"
                loading={operate.isPending}
                onClick={() => operate.mutate(asked)}
                data-autofocus
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
