/** Registers a descriptor that exists: what it would bring can be looked at first. */
import { Button, Checkbox, Drawer, Select, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { lookAtLocation, registerLocation } from '~/api/mutations'
import { meQuery } from '~/api/queries'
import { entityRef, titleOf } from '~/api/refs'
import type { Entity, LocationCreated } from '~/api/types'
import { KindIcon } from '~/ui/KindIcon'
import { amount } from '~/ui/time'
import { Refusal } from '~/components/Refusal'
import { notifyDone } from '~/components/notify'
import { useRefresh } from '~/components/RouteStates'
import s from './entity.module.css'

const TRUST = 'catalog.location.trust'
const TYPES = [
  { value: 'url', label: 'Repository or address' },
  { value: 'file', label: 'File on the server' },
]
const SHOWN = 50

export function RegisterDrawer({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [type, setType] = useState('url')
  const [target, setTarget] = useState('')
  const [trust, setTrust] = useState(false)
  const { data: me } = useQuery(meQuery())
  const nav = useNavigate()
  const refresh = useRefresh()
  const asked = { type, target: target.trim(), trust }
  const look = useMutation({ mutationFn: () => lookAtLocation(asked) })
  const register = useMutation({
    mutationFn: () => registerLocation(asked),
    onSuccess: async (made) => {
      look.reset()
      setTarget('')
      await refresh('entities', 'facets', 'kinds', 'sources', 'problems')
      if (made.run_id) {
        notifyDone('Registered', 'It is large: a run takes it in.')
        return nav({ to: '/runs/$id', params: { id: made.run_id } })
      }
      if (made.totalItems === 0 || made.problems > 0) {
        if (made.totalItems > 0)
          notifyDone('Registered in part', `${entities(made.totalItems)} in the catalog; the rest has problems.`)
        return nav({ to: '/catalog/problems', search: { source: made.location.id } })
      }
      notifyDone('Registered', `${entities(made.totalItems)} in the catalog.`)
      onClose()
    },
  })
  const change = (set: () => void) => {
    set()
    look.reset()
    register.reset()
  }
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
        <Select label="Kind of source" data={TYPES} value={type} onChange={(v) => change(() => setType(v ?? 'url'))} allowDeselect={false} />
        <TextInput label="Target" data-autofocus description="For example https://…/orders.git or a path to catalog-info.yaml" required value={target} onChange={(e) => { const { value } = e.currentTarget; change(() => setTarget(value)) }} />
        {me?.permissions.includes(TRUST) && (
          <Checkbox label="Trust it" description="It may also bring people, teams, templates and kinds." checked={trust} onChange={(e) => setTrust(e.currentTarget.checked)} />
        )}
        {look.data && <Found found={look.data} />}
        <Refusal error={look.error ?? register.error} />
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" loading={look.isPending} disabled={!target.trim()} onClick={() => { register.reset(); look.mutate() }}>Look first</Button>
          <Button type="submit" loading={register.isPending} disabled={!target.trim() || look.isPending}>Register</Button>
        </div>
      </form>
    </Drawer>
  ) // prettier-ignore
}

const entities = (n: number) => amount(n, 'entity is', 'entities are')

/** What registering would bring; nothing is kept of it. */
function Found({ found }: { found: LocationCreated }) {
  const items = (found.entities as Entity[]).filter((e) => e.kind !== 'Location')
  return (
    <section aria-label="What it would bring" role="status">
      <p style={{ margin: '0 0 6px' }}>
        {found.exists ? 'It is registered already. ' : ''}
        {items.length ? `${entities(items.length)} in it${items.length > SHOWN ? `; the first ${SHOWN}` : ''}:` : 'No entity is described there.'}
      </p>
      <ul className={s.found}>
        {items.slice(0, SHOWN).map((e) => (
          <li key={entityRef(e)}>
            <KindIcon kind={e.kind} size={18} /> <span className="trunc">{titleOf(e)}</span> <span className="t2">{e.kind.toLowerCase()}</span>
          </li>
        ))}
      </ul>
    </section>
  ) // prettier-ignore
}
