import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { UserCheck, X } from 'lucide-react'
import { useState } from 'react'
import { decideRun } from '~/api/mutations'
import { notifyDone, notifyError } from '~/components/notify'
import { useRefresh } from '~/components/RouteStates'
import s from './run.module.css'

export function Approval({ id, step }: { id: string; step?: string }) {
  const [comment, setComment] = useState('')
  const refresh = useRefresh()
  const decide = useMutation({
    mutationFn: (decision: 'approved' | 'rejected') => decideRun(id, { decision, comment }),
    onSuccess: async (_, d) => {
      notifyDone(d === 'approved' ? 'Approved: the run goes on' : 'Rejected: the run ends as failed')
      await refresh('run', 'runs')
    },
    onError: (e) => notifyError('The decision was refused', e),
  })
  return (
    <section className={s.approval} aria-label="Approval">
      <b>{step ? `“${step}”` : 'This run'} waits for an approval</b>
      <TextInput aria-label="Comment" placeholder="Comment, kept in the audit log" value={comment} onChange={(e) => setComment(e.currentTarget.value)} style={{ flex: 1, minWidth: 180 }} />
      <Button variant="default" leftSection={<X size={14} />} onClick={() => decide.mutate('rejected')} loading={decide.isPending}>Reject</Button>
      <Button leftSection={<UserCheck size={14} />} onClick={() => decide.mutate('approved')} loading={decide.isPending}>Approve</Button>
    </section>
  ) // prettier-ignore
}
