import { Alert, Button, CopyButton, Modal, Select, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Check, Copy, KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { asApiError } from '~/api/errors'
import { createToken, revokeToken } from '~/api/mutations'
import { meQuery, tokensQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import type { Token } from '~/api/types'
import { notifyDone, notifyError } from '~/components/notify'
import { Await, useRefresh } from '~/components/RouteStates'
import { Ago, Cli, CodeBlock, EmptyState, Panel } from '~/ui/parts'
import { exact, until } from '~/ui/time'
import ui from '~/ui/ui.module.css'

const LIVES: [string, string][] = [['3600', '1 hour'], ['86400', '1 day'], ['604800', '7 days'], ['2592000', '30 days'], ['7776000', '90 days']] // prettier-ignore

export default function TokensSection() {
  const query = useQuery(tokensQuery())
  const [open, setOpen] = useState(false)
  const refresh = useRefresh()
  const revoke = useMutation({
    mutationFn: (t: Token) => revokeToken(t.id),
    onSuccess: async (_, t) => {
      notifyDone(`Token ${t.name} revoked`)
      await refresh('tokens')
    },
    onError: (e) => notifyError('The token could not be revoked', e),
  })
  return (
    <Panel title="API tokens" icon={KeyRound} right={<Button size="xs" leftSection={<Plus size={13} />} onClick={() => setOpen(true)}>New token</Button>}>
      <Await query={query}>
        {({ items }) =>
          items.length ? (
            <div className={ui.tableWrap}>
              <table className={ui.table}>
                <thead>
                  <tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">Acts as</th><th scope="col">Expires</th><th scope="col">Made</th><th scope="col"><span className={ui.sr}>Actions</span></th></tr>
                </thead>
                <tbody>
                  {items.map((t) => (
                    <tr key={t.id}>
                      <th scope="row">{t.name}</th>
                      <td>{t.role}</td>
                      <td className="t2">{shortRef(t.subject)}</td>
                      <td title={exact(t.expires_at)}>{until(t.expires_at)}</td>
                      <td><Ago at={t.created_at} className="t2" /></td>
                      <td style={{ textAlign: 'right' }}><Button size="xs" variant="default" style={{ color: 'var(--c-bad)' }} onClick={() => revoke.mutate(t)} aria-label={`Revoke ${t.name}`}>Revoke</Button></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          ) : (
            <EmptyState icon={KeyRound} title="No tokens" compact>
              A token lets the CLI or a pipeline act with a role, for a time. By command: <Cli>taxiway tokens create NAME --role developer --ttl 1h</Cli>
            </EmptyState>
          )
        }
      </Await>
      <NewToken opened={open} onClose={() => setOpen(false)} />
    </Panel>
  ) // prettier-ignore
}

function NewToken({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { data: me } = useQuery(meQuery())
  const roles = me?.roles.length ? me.roles : ['viewer']
  const [name, setName] = useState('')
  const [role, setRole] = useState<string>()
  const [life, setLife] = useState('86400')
  const refresh = useRefresh()
  const create = useMutation({
    mutationFn: () => createToken({ name: name.trim(), role: role ?? roles[0] ?? 'viewer', ttl_seconds: Number(life) }),
    onSuccess: () => refresh('tokens'),
  })
  const close = () => {
    create.reset()
    setName('')
    onClose()
  }
  const offered = [...new Set([...roles, ...(roles.includes('admin') ? ['platform', 'developer', 'viewer'] : ['viewer'])])]
  return (
    <Modal opened={opened} onClose={close} title={create.data ? 'Copy the token now' : 'New token'} size={460}>
      {create.data?.token ? (
        <div style={{ display: 'grid', gap: 12 }}>
          <div>It is shown this once; only its hash is kept.</div>
          <CodeBlock code={create.data.token} label="Token" />
          <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
            <CopyButton value={create.data.token}>
              {({ copied, copy }) => <Button variant="default" leftSection={copied ? <Check size={14} /> : <Copy size={14} />} onClick={copy}>{copied ? 'Copied' : 'Copy'}</Button>}
            </CopyButton>
            <Button onClick={close}>Done</Button>
          </div>
        </div>
      ) : (
        <form
          style={{ display: 'grid', gap: 14 }}
          onSubmit={(e) => {
            e.preventDefault()
            create.mutate()
          }}
        >
          <TextInput label="Name" description="What uses it" required value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
          <Select label="Role" description="It can do at most what you can" data={offered} value={role ?? roles[0]} onChange={(v) => setRole(v ?? undefined)} allowDeselect={false} />
          <Select label="Valid for" data={LIVES.map(([value, label]) => ({ value, label }))} value={life} onChange={(v) => setLife(v ?? life)} allowDeselect={false} />
          {create.error && <Alert color="red" variant="light" role="alert">{asApiError(create.error).detail}</Alert>}
          <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
            <Button variant="default" onClick={close}>Cancel</Button>
            <Button type="submit" loading={create.isPending} disabled={!name.trim()}>Create token</Button>
          </div>
        </form>
      )}
    </Modal>
  ) // prettier-ignore
}
