/** Half-filled forms on the page Create: mine to go on with, and those that I handed on. Nothing where there are none. */
import { ActionIcon, Tooltip } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { PencilLine, Trash2 } from 'lucide-react'
import { draftsQuery, dropDraft } from '~/api/drafts'
import { shortRef } from '~/api/refs'
import type { Draft } from '~/api/types'
import { notifyDone, notifyError } from '~/components/notify'
import { ErrorState, useRefresh } from '~/components/RouteStates'
import { Ago, Panel } from '~/ui/parts'
import s from './scaffolder.module.css'

export function Drafts() {
  const { data, error, refetch } = useQuery(draftsQuery())
  if (error) return <ErrorState error={error} retry={() => void refetch()} compact />
  if (!data?.items.length) return null
  return (
    <div style={{ marginBottom: 18 }}>
      <Panel title="Half-filled forms" icon={PencilLine}>
        {data.items.map((draft) => <Row key={draft.id} draft={draft} />)}
      </Panel>
    </div>
  ) // prettier-ignore
}

function Row({ draft }: { draft: Draft }) {
  const refresh = useRefresh()
  const [namespace = 'default', name = ''] = draft.template_ref.replace(/^template:/, '').split('/')
  const drop = useMutation({
    mutationFn: () => dropDraft(draft.id),
    onSuccess: () => {
      notifyDone('Given up', draft.title)
      return refresh('drafts')
    },
    onError: (e) => notifyError('The draft could not be given up', e),
  })
  const about = !draft.is_mine
    ? `with ${shortRef(draft.holder)}`
    : draft.handed_by
      ? `from ${shortRef(draft.handed_by)}${draft.note ? `: ${draft.note}` : ''}`
      : ''
  return (
    <div className={s.draft}>
      <div style={{ minWidth: 0, flex: 1 }}>
        {draft.is_mine ? (
          <Link to="/create/$namespace/$name" params={{ namespace, name }} search={{ draft: draft.id, step: draft.reached + 1 }} className={s.draftTitle}>{draft.title}</Link>
        ) : (
          <span className={s.draftTitle}>{draft.title}</span>
        )}
        {about && <div className="t2" style={{ overflowWrap: 'anywhere' }}>{about}</div>}
      </div>
      <Ago at={draft.updated_at} className="t3" />
      {draft.is_mine && (
        <Tooltip label="Give it up">
          <ActionIcon variant="subtle" color="gray" aria-label={`Give up ${draft.title}`} loading={drop.isPending} onClick={() => drop.mutate()}>
            <Trash2 size={15} />
          </ActionIcon>
        </Tooltip>
      )}
    </div>
  ) // prettier-ignore
}
