import { Button, CopyButton, Modal, Select, TextInput } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { Check, Copy, KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { tokensQuery } from '~/api/access'
import { createToken, revokeToken } from '~/api/mutations'
import { meQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import type { Token } from '~/api/types'
import { notifyDone, notifyError } from '~/components/notify'
import { Refusal } from '~/components/Refusal'
import { Await, useRefresh } from '~/components/RouteStates'
import { ShowMore } from '~/components/ShowMore'
import { DataTable } from '~/ui/DataTable'
import { Ago, Cli, CodeBlock, EmptyState, Panel } from '~/ui/parts'
import { exact, until } from '~/ui/time'

const LIVES: [string, string][] = [['3600', '1 hour'], ['86400', '1 day'], ['604800', '7 days'], ['2592000', '30 days'], ['7776000', '90 days']] // prettier-ignore

export default function TokensSection() {
  const query = useInfiniteQuery(tokensQuery())
  const [open, setOpen] = useState(false)
  const [revoking, setRevoking] = useState<Token>()
  const refresh = useRefresh()
  const revoke = useMutation({
    mutationFn: (t: Token) => revokeToken(t.id),
    onSuccess: async (_, t) => {
      notifyDone(`Token ${t.name} revoked`)
      await refresh('tokens')
    },
    onError: (e) => notifyError('The token could not be revoked', e),
    onSettled: () => setRevoking(undefined),
  })
  return (
    <Panel title="API tokens" icon={KeyRound} right={<Button size="xs" leftSection={<Plus size={13} />} onClick={() => setOpen(true)}>New token</Button>}>
      <Await query={query}>
        {({ pages }) => {
          const items = pages.flatMap((p) => p.items)
          return items.length ? (
            <DataTable
              label="API tokens"
              pairs
              rows={items}
              rowKey={(t) => t.id}
              columns={[
                { title: 'Name', head: true, cell: (t) => t.name },
                { title: 'Role', cell: (t) => t.role },
                { title: 'Acts as', className: 't2', cell: (t) => shortRef(t.subject) },
                { title: 'Expires', cell: (t) => <span title={exact(t.expires_at)}>{until(t.expires_at)}</span> },
                { title: 'Made', cell: (t) => <Ago at={t.created_at} className="t2" /> },
                { title: 'Actions', silent: true, cell: (t) => <Button size="xs" variant="default" style={{ color: 'var(--c-bad)' }} onClick={() => setRevoking(t)} aria-label={`Revoke ${t.name}`}>Revoke</Button> },
              ]}
            />
          ) : (
            <EmptyState icon={KeyRound} title="No tokens" compact>
              A token lets the CLI or a pipeline act with a role, for a time. By command: <Cli>taxiway tokens create NAME --role developer --ttl 1h</Cli>
            </EmptyState>
          )
        }}
      </Await>
      <ShowMore query={query} />
      <Modal opened={Boolean(revoking)} onClose={() => setRevoking(undefined)} title={`Revoke ${revoking?.name}?`} size={420}>
        <p style={{ marginTop: 0 }}>What uses it is refused from now on. It acts as {shortRef(revoking?.subject ?? '')} with the role {revoking?.role}. A revoked token cannot be brought back.</p>
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={() => setRevoking(undefined)} data-autofocus>Keep it</Button>
          <Button variant="outline" color="red" loading={revoke.isPending} onClick={() => revoking && revoke.mutate(revoking)}>Revoke</Button>
        </div>
      </Modal>
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
          <Refusal error={create.error} />
          <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
            <Button variant="default" onClick={close}>Cancel</Button>
            <Button type="submit" loading={create.isPending} disabled={!name.trim()}>Create token</Button>
          </div>
        </form>
      )}
    </Modal>
  ) // prettier-ignore
}
