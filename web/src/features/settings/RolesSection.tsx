import { Button, Modal, Select, TextInput } from '@mantine/core'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { Plus, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { rolesQuery } from '~/api/access'
import { giveRole, takeRole } from '~/api/mutations'
import { shortRef } from '~/api/refs'
import type { RoleOf } from '~/api/types'
import { notifyDone, notifyError } from '~/components/notify'
import { Refusal } from '~/components/Refusal'
import { Await, useRefresh } from '~/components/RouteStates'
import { ShowMore } from '~/components/ShowMore'
import { DataTable } from '~/ui/DataTable'
import { Ago, Cli, EmptyState, Panel } from '~/ui/parts'

const ROLES = ['viewer', 'developer', 'platform', 'admin']

/** Who has which role. What a group has, everybody in it has. */
export default function RolesSection() {
  const query = useInfiniteQuery(rolesQuery())
  const [open, setOpen] = useState(false)
  const [taking, setTaking] = useState<RoleOf>()
  const refresh = useRefresh()
  const take = useMutation({
    mutationFn: takeRole,
    onSuccess: async (_, one) => {
      notifyDone(`${shortRef(one.member)} is ${one.role} no more`)
      await refresh('roles')
    },
    onError: (e) => notifyError('The role could not be taken back', e),
    onSettled: () => setTaking(undefined),
  })
  return (
    <Panel title="Roles" icon={ShieldCheck} right={query.data && <Button size="xs" leftSection={<Plus size={13} />} onClick={() => setOpen(true)}>Give a role</Button>}>
      <Await query={query}>
        {({ pages }) => {
          const items = pages.flatMap((p) => p.items)
          return items.length ? (
            <DataTable
              label="Roles"
              pairs
              rows={items}
              rowKey={(one) => `${one.member} ${one.role}`}
              columns={[
                { title: 'User or group', head: true, cell: (one) => one.member },
                { title: 'Role', cell: (one) => one.role },
                { title: 'Since', cell: (one) => <Ago at={one.created_at} className="t2" /> },
                { title: 'Actions', silent: true, cell: (one) => <Button size="xs" variant="default" style={{ color: 'var(--c-bad)' }} onClick={() => setTaking(one)} aria-label={`Take ${one.role} from ${one.member}`}>Take back</Button> },
              ]}
            />
          ) : (
            <EmptyState icon={ShieldCheck} title="No roles" compact>
              Who has no role sees nothing. By command: <Cli>taxiway roles give group:default/platform developer</Cli>
            </EmptyState>
          )
        }}
      </Await>
      <ShowMore query={query} />
      <Modal opened={Boolean(taking)} onClose={() => setTaking(undefined)} title={`Take ${taking?.role} from ${taking?.member}?`} size={420}>
        <p style={{ marginTop: 0 }}>It counts at once, for their API tokens too.</p>
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={() => setTaking(undefined)} data-autofocus>Keep it</Button>
          <Button variant="outline" color="red" loading={take.isPending} onClick={() => taking && take.mutate(taking)}>Take back</Button>
        </div>
      </Modal>
      <GiveRole opened={open} onClose={() => setOpen(false)} />
    </Panel>
  ) // prettier-ignore
}

function GiveRole({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [member, setMember] = useState('')
  const [role, setRole] = useState('developer')
  const refresh = useRefresh()
  const close = () => {
    give.reset()
    setMember('')
    onClose()
  }
  const give = useMutation({
    mutationFn: () => giveRole({ member: member.trim(), role }),
    onSuccess: async () => {
      await refresh('roles')
      close()
    },
  })
  return (
    <Modal opened={opened} onClose={close} title="Give a role" size={460}>
      <form
        style={{ display: 'grid', gap: 14 }}
        onSubmit={(e) => {
          e.preventDefault()
          give.mutate()
        }}
      >
        <TextInput label="User or group" description="group:default/platform, user:default/bea" required value={member} onChange={(e) => setMember(e.currentTarget.value)} data-autofocus />
        <Select label="Role" data={ROLES} value={role} onChange={(v) => setRole(v ?? role)} allowDeselect={false} />
        <Refusal error={give.error} />
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={give.isPending} disabled={!member.trim()}>Give role</Button>
        </div>
      </form>
    </Modal>
  ) // prettier-ignore
}
