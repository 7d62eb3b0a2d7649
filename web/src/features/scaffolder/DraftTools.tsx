/** Keeps a half-filled form on the server, and hands it to another person. Secrets stay in this window. */
import { Button, Modal, Select, Textarea } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Save, UserRoundPlus } from 'lucide-react'
import { useState } from 'react'
import { type DraftAnswers, handOver, saveDraft } from '~/api/drafts'
import { entitiesQuery, meQuery } from '~/api/queries'
import { entityRef, titleOf } from '~/api/refs'
import type { Draft } from '~/api/types'
import { notifyDone, notifyError } from '~/components/notify'
import { Refusal } from '~/components/Refusal'
import { useRefresh } from '~/components/RouteStates'

type Props = { templateRef: string; kept: Draft | undefined; answers: DraftAnswers; onKept: (draft: Draft) => void }

export function DraftTools({ templateRef, kept, answers, onKept }: Props) {
  const refresh = useRefresh()
  const [giving, setGiving] = useState(false)
  const save = useMutation({
    mutationFn: () => saveDraft(templateRef, kept, answers),
    onSuccess: async (draft) => {
      onKept(draft)
      await refresh('drafts')
    },
  })
  const told = { onError: (e: unknown) => notifyError('The draft could not be kept', e) }
  return (
    <>
      <Button
        variant="subtle"
        size="compact-sm"
        leftSection={<Save size={14} />}
        loading={save.isPending}
        onClick={() => save.mutate(undefined, { onSuccess: () => notifyDone('Kept', 'It is on the page Create. Secrets are not kept.'), ...told })}
      >
        Save for later
      </Button>
      <Button variant="subtle" size="compact-sm" leftSection={<UserRoundPlus size={14} />} onClick={() => save.mutate(undefined, { onSuccess: () => setGiving(true), ...told })}>
        Hand over
      </Button>
      {giving && kept && <HandOver draft={kept} onClose={() => setGiving(false)} />}
    </>
  ) // prettier-ignore
}

function HandOver({ draft, onClose }: { draft: Draft; onClose: () => void }) {
  const nav = useNavigate()
  const refresh = useRefresh()
  const [typed, setTyped] = useState('')
  const [to, setTo] = useState<string | null>(null)
  const [note, setNote] = useState('')
  const me = useQuery(meQuery())
  const found = useQuery(
    entitiesQuery({ filter: ['kind=user'], text: typed || undefined, limit: 50, order: 'metadata.name,asc' }),
  )
  const people = (found.data?.items ?? [])
    .map((e) => ({ value: entityRef(e), label: titleOf(e) }))
    .filter((p) => p.value !== me.data?.ref)
  const give = useMutation({
    mutationFn: (person: string) => handOver(draft, person, note),
    onSuccess: async (given) => {
      notifyDone('Handed over', `${given.title} is with ${given.holder} now.`)
      await refresh('drafts')
      return nav({ to: '/create' })
    },
  })
  return (
    <Modal opened onClose={onClose} title={`Hand over ${draft.title}`}>
      <p className="t2" style={{ margin: '0 0 12px' }}>
        Somebody else goes on with the form, with their own rights. What you typed as a secret is not passed on.
      </p>
      <Select
        label="To"
        placeholder="A person of the catalog"
        data={people}
        value={to}
        onChange={setTo}
        searchable
        searchValue={typed}
        onSearchChange={setTyped}
        filter={({ options }) => options}
        nothingFoundMessage={found.isPending ? 'Searching…' : 'Nobody matches'}
        data-autofocus
      />
      <Textarea label="What they should know" value={note} maxLength={1000} onChange={(e) => setNote(e.currentTarget.value)} mt={12} autosize minRows={2} />
      <Refusal error={give.error ?? found.error} />
      <div style={{ display: 'flex', justifyContent: 'flex-end', gap: 8, marginTop: 16 }}>
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button disabled={!to} loading={give.isPending} onClick={() => to && give.mutate(to)}>Hand over</Button>
      </div>
    </Modal>
  ) // prettier-ignore
}
