import { Button, Modal, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { decommission, destroyIn } from '~/api/mutations'
import { splitRef } from '~/api/refs'
import { Refusal } from './Refusal'

type Props = { opened: boolean; onClose: () => void; entityRef: string; environment?: { name: string; title: string } }

/** Takes a service out of one environment, or deletes it wholly. It asks for the name, because nothing of it comes back. */
export function DestroyModal({ opened, onClose, entityRef, environment }: Props) {
  const parts = splitRef(entityRef)
  const [typed, setTyped] = useState('')
  const nav = useNavigate()
  const destroy = useMutation({
    mutationFn: () => (environment ? destroyIn(parts, environment.name) : decommission(entityRef)),
    onSuccess: ({ run_id }) => nav({ to: '/runs/$id', params: { id: run_id } }),
  })
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={environment ? `Remove ${parts.name} from ${environment.title}` : `Delete ${parts.name}`}
      size={460}
    >
      <form
        style={{ display: 'grid', gap: 14 }}
        onSubmit={(e) => {
          e.preventDefault()
          destroy.mutate()
        }}
      >
        <div>
          {environment
            ? `In ${environment.title} its processes and routes stop and its databases there are deleted with all data. Its repository, its releases and other environments stay.`
            : 'In every environment its processes and routes stop and its databases with all data are deleted. Its repository, its releases and its catalog entities go too. The audit log stays.'}
        </div>
        <TextInput
          label={`Type ${parts.name} to confirm`}
          value={typed}
          onChange={(e) => setTyped(e.currentTarget.value)}
          autoComplete="off"
          data-autofocus
        />
        <Refusal error={destroy.error} />
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button type="submit" variant="outline" color="red" disabled={typed !== parts.name} loading={destroy.isPending}>
            {environment ? 'Remove it' : 'Delete everything'}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
