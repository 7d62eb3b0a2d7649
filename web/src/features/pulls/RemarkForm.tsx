import { Button, NumberInput, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { reviewPull } from '~/api/mutations'
import type { PullDetail } from '~/api/types'
import { Refusal } from '~/components/Refusal'
import { useRefresh } from '~/components/RouteStates'
import s from './pulls.module.css'

/** A comment on one line of the new file. The line is named by its number: a button on each would be hundreds of stops. */
export function RemarkForm({ pull, path }: { pull: PullDetail; path: string }) {
  const [line, setLine] = useState<number | string>('')
  const [body, setBody] = useState('')
  const refresh = useRefresh()
  const send = useMutation({
    mutationFn: () => reviewPull(pull, { verdict: 'comment', body, path, line: Number(line) }),
    onSuccess: () => {
      setBody('')
      return refresh('pull')
    },
  })
  return (
    <details className={s.remarkForm}>
      <summary>Comment on a line</summary>
      <div className={s.remarkFields}>
        <NumberInput label="Line" min={1} allowDecimal={false} allowNegative={false} value={line} onChange={setLine} w={90} />
        <Textarea label="Comment" rows={2} resize="vertical" value={body} onChange={(e) => setBody(e.currentTarget.value)} style={{ flex: 1, minWidth: 200 }} />
        <Button variant="default" disabled={!line || !body.trim()} loading={send.isPending} onClick={() => send.mutate()}>Comment on {path.split('/').at(-1)}</Button>
      </div>
      <Refusal error={send.error} />
    </details>
  ) // prettier-ignore
}
