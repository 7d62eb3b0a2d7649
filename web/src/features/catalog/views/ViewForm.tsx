import { Button, Modal, Select, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { shortRef } from '~/api/refs'
import type { Me, View, ViewBody } from '~/api/types'
import { createView, updateView } from '~/api/views'
import { notifyDone } from '~/components/notify'
import { Refusal } from '~/components/Refusal'
import { useRefresh } from '~/components/RouteStates'
import type { CatalogSearch } from '~/routes'
import { keptOf, stateOf } from '../catalog-filter'

const SHARE = 'catalog.view.share'
const EVERYBODY = 'everybody'
type Props = { me: Me; search: CatalogSearch; view?: View; onClose: () => void; onDone: (view: View) => void }

/** A new view of the table as it is, or what an existing one is called and who sees it. */
export function ViewForm({ me, search, view, onClose, onDone }: Props) {
  const [title, setTitle] = useState(view?.title ?? '')
  const [name, setName] = useState(view?.name)
  const [who, setWho] = useState(view ? (view.visible_to === EVERYBODY ? EVERYBODY : view.owner) : me.ref)
  const refresh = useRefresh()
  const called = name ?? slugOf(title)
  const may = me.permissions.includes(SHARE)
  const save = useMutation({
    mutationFn: () => {
      const owner = who === EVERYBODY ? (view?.owner ?? me.ref) : who
      const said: Pick<ViewBody, 'name' | 'title' | 'owner' | 'visible_to'> = {
        name: called,
        title: title.trim(),
        owner,
        visible_to: who === EVERYBODY ? EVERYBODY : 'owner',
      }
      // what was changed in the table meanwhile is saved by its own command
      return view ? updateView(view, { ...said, ...keptOf(stateOf(view)) }) : createView({ ...said, ...keptOf(search) })
    },
    onSuccess: async (made) => {
      await refresh('views')
      notifyDone(view ? 'The view is changed' : `${made.title} is saved`)
      if (!view) onDone(made)
      onClose()
    },
  })
  const owners = [...new Set([me.ref, ...me.groups, ...(view ? [view.owner] : [])])]
  return (
    <Modal opened onClose={onClose} title={view ? 'Rename or share the view' : 'Save as a new view'} size={460}>
      <form
        style={{ display: 'grid', gap: 14 }}
        onSubmit={(e) => {
          e.preventDefault()
          save.mutate()
        }}
      >
        <TextInput label="Title" required maxLength={100} value={title} onChange={(e) => setTitle(e.currentTarget.value)} data-autofocus />
        <TextInput label="Name" required description="What commands and links call it: lower-case letters, digits and dashes" pattern="[a-z0-9]([a-z0-9._\-]*[a-z0-9])?" maxLength={63} value={called} onChange={(e) => setName(e.currentTarget.value)} />
        <Select
          label="Who sees it"
          description={who === EVERYBODY ? 'Whoever may read the catalog sees it. You keep it.' : who === me.ref ? undefined : 'The members of the group see it, and keep it together.'}
          allowDeselect={false}
          value={who}
          onChange={(v) => v && setWho(v)}
          data={[
            ...owners.map((o) => ({ value: o, label: o === me.ref ? 'Only you' : `${o.startsWith('group:') ? 'Members of ' : ''}${shortRef(o)}` })),
            { value: EVERYBODY, label: may ? 'Everybody' : 'Everybody: the platform team does this', disabled: !may },
          ]}
        />
        <Refusal error={save.error} />
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={save.isPending} disabled={!title.trim() || !called}>{view ? 'Save' : 'Save view'}</Button>
        </div>
      </form>
    </Modal>
  ) // prettier-ignore
}

/** A name from a title, as far as its letters allow. */
export const slugOf = (title: string) =>
  title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '')
