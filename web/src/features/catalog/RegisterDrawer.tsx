import { Button, Drawer, Select, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { registerLocation } from '~/api/mutations'
import { Refusal } from '~/components/Refusal'
import { notifyDone } from '~/components/notify'
import { useRefresh } from '~/components/RouteStates'

export function RegisterDrawer({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [type, setType] = useState('url')
  const [target, setTarget] = useState('')
  const refresh = useRefresh()
  const register = useMutation({
    mutationFn: () => registerLocation({ type, target: target.trim() }),
    onSuccess: async () => {
      notifyDone('Registered', 'Its entities are in the catalog.')
      await refresh('entities', 'facets', 'kinds', 'sources')
      setTarget('')
      onClose()
    },
  })
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size={440} title="Register existing">
      <form
        style={{ display: 'grid', gap: 14 }}
        onSubmit={(e) => {
          e.preventDefault()
          register.mutate()
        }}
      >
        <p className="t2" style={{ margin: 0 }}>
          Point to a descriptor. It is read now and again whenever it changes.
        </p>
        <Select label="Kind of source" data={[{ value: 'url', label: 'Repository or address' }, { value: 'file', label: 'File on the server' }]} value={type} onChange={(v) => setType(v ?? 'url')} allowDeselect={false} />
        <TextInput label="Target" data-autofocus description="For example https://…/orders.git or a path to catalog-info.yaml" required value={target} onChange={(e) => setTarget(e.currentTarget.value)} />
        <Refusal error={register.error} />
        <Button type="submit" loading={register.isPending} disabled={!target.trim()}>
          Register
        </Button>
      </form>
    </Drawer>
  ) // prettier-ignore
}
