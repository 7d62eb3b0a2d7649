/** Webhooks: where events are sent, whether they arrive, and each delivery, which can be sent again. */
import { Button, Modal, Switch, TagsInput, TextInput } from '@mantine/core'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { Plus, Webhook as Icon } from 'lucide-react'
import { useState } from 'react'
import { del, post, put } from '~/api/client'
import { pagedQuery } from '~/api/paged'
import type { Delivery, Webhook } from '~/api/types'
import { notifyDone, notifyError } from '~/components/notify'
import { Refusal } from '~/components/Refusal'
import { Await, useRefresh } from '~/components/RouteStates'
import { ShowMore } from '~/components/ShowMore'
import { DataTable } from '~/ui/DataTable'
import { Ago, Cli, CodeBlock, EmptyState, Panel } from '~/ui/parts'
import { StatusBadge } from '~/ui/Status'

const BASE = '/api/webhooks/v1/webhooks'
const webhooksQuery = () => pagedQuery<Webhook>(['webhooks', 'list'], BASE)
const deliveriesQuery = (id: string) => pagedQuery<Delivery>(['webhooks', 'deliveries', id], `${BASE}/${id}/deliveries`)
const said = ({ name, url, types, filters }: Webhook) => ({ name, url, types, filters })

export default function WebhooksSection() {
  const query = useInfiniteQuery(webhooksQuery())
  const [open, setOpen] = useState(false)
  const [shown, setShown] = useState<Webhook>()
  const [removing, setRemoving] = useState<Webhook>()
  const refresh = useRefresh()
  const toggle = useMutation({
    mutationFn: (w: Webhook) => put(`${BASE}/${w.id}`, { ...said(w), enabled: !w.enabled }),
    onSuccess: () => refresh('webhooks'),
    onError: (e) => notifyError('The webhook could not be changed', e),
  })
  const remove = useMutation({
    mutationFn: (w: Webhook) => del<void>(`${BASE}/${w.id}`),
    onSuccess: () => refresh('webhooks'),
    onError: (e) => notifyError('The webhook could not be removed', e),
    onSettled: () => setRemoving(undefined),
  })
  return (
    <Panel title="Webhooks" icon={Icon} right={<Button size="xs" leftSection={<Plus size={13} />} onClick={() => setOpen(true)}>New webhook</Button>}>
      <Await query={query}>
        {({ pages }) => {
          const items = pages.flatMap((p) => p.items)
          return items.length ? (
            <DataTable
              label="Webhooks"
              pairs
              rows={items}
              rowKey={(w) => w.id}
              columns={[
                { title: 'Name', head: true, cell: (w) => w.name },
                { title: 'Address', className: 'mono', cell: (w) => w.url },
                { title: 'Events', className: 't2', cell: (w) => w.types.join(', ') || 'all' },
                { title: 'State', cell: (w) => <State webhook={w} /> },
                { title: 'Enabled', cell: (w) => <Switch checked={w.enabled} onChange={() => toggle.mutate(w)} aria-label={`Send to ${w.name}`} /> },
                { title: 'Actions', silent: true, cell: (w) => <div style={{ display: 'flex', gap: 6 }}><Button size="xs" variant="default" onClick={() => setShown(w)} aria-label={`Deliveries to ${w.name}`}>Deliveries</Button><Button size="xs" variant="default" style={{ color: 'var(--c-bad)' }} onClick={() => setRemoving(w)} aria-label={`Remove ${w.name}`}>Remove</Button></div> },
              ]}
            />
          ) : (
            <EmptyState icon={Icon} title="No webhooks" compact>
              Events are sent nowhere yet. By command: <Cli>taxiway webhooks create NAME URL --type dev.taxiway.entity.</Cli>
            </EmptyState>
          )
        }}
      </Await>
      <ShowMore query={query} />
      <Modal opened={Boolean(removing)} onClose={() => setRemoving(undefined)} title={`Remove ${removing?.name}?`} size={420}>
        <p style={{ marginTop: 0 }}>Nothing more is sent there, and what was sent is forgotten. Its secret is removed.</p>
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={() => setRemoving(undefined)} data-autofocus>Keep it</Button>
          <Button variant="outline" color="red" loading={remove.isPending} onClick={() => removing && remove.mutate(removing)}>Remove</Button>
        </div>
      </Modal>
      <Modal opened={Boolean(shown)} onClose={() => setShown(undefined)} title={`Sent to ${shown?.name ?? ''}`} size="xl">
        {shown && <Deliveries webhook={shown} />}
      </Modal>
      <NewWebhook opened={open} onClose={() => setOpen(false)} />
    </Panel>
  ) // prettier-ignore
}

function State({ webhook: w }: { webhook: Webhook }) {
  if (!w.enabled) return <><StatusBadge tone="idle">Disabled</StatusBadge> <span className="t2">{w.reason}</span></> // prettier-ignore
  if (w.failing_since) return <><StatusBadge tone="bad">Failing</StatusBadge> <span className="t2">for <Ago at={w.failing_since} /></span></> // prettier-ignore
  return <StatusBadge tone="ok">Sending</StatusBadge>
}

function Deliveries({ webhook }: { webhook: Webhook }) {
  const query = useInfiniteQuery(deliveriesQuery(webhook.id))
  const refresh = useRefresh()
  const again = useMutation({
    mutationFn: (d: Delivery) => post<void>(`${BASE}/${webhook.id}/deliveries/${d.id}/resend`),
    onSuccess: async () => {
      notifyDone('It is sent again')
      await refresh('webhooks')
    },
    onError: (e) => notifyError('It could not be sent again', e),
  })
  return (
    <>
    <Await query={query}>
      {({ pages }) => {
        const items = pages.flatMap((p) => p.items)
        return items.length ? (
          <DataTable
            label="Deliveries"
            rows={items}
            rowKey={(d) => d.id}
            columns={[
              { title: 'Event', head: true, className: 'mono', cell: (d) => <>{d.type}<div className="t2">{d.subject}</div></> },
              { title: 'State', cell: (d) => <StatusBadge tone={d.state === 'delivered' ? 'ok' : d.state === 'waiting' ? 'warn' : 'bad'}>{d.state}</StatusBadge> },
              { title: 'Answer', cell: (d) => d.error ?? d.status },
              { title: 'Attempts', cell: (d) => d.attempts },
              { title: 'Last', cell: (d) => <Ago at={d.attempted_at} className="t2" /> },
              { title: 'Actions', silent: true, cell: (d) => <Button size="xs" variant="default" disabled={!webhook.enabled || d.resend} onClick={() => again.mutate(d)}>Send again</Button> },
            ]}
          />
        ) : (
          <EmptyState icon={Icon} title="Nothing was sent yet" compact>It gets what happens after it was made.</EmptyState>
        )
      }}
    </Await>
    <ShowMore query={query} />
    </>
  ) // prettier-ignore
}

function NewWebhook({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [name, setName] = useState('')
  const [url, setUrl] = useState('')
  const [types, setTypes] = useState<string[]>([])
  const [filters, setFilters] = useState<string[]>([])
  const refresh = useRefresh()
  const create = useMutation({
    mutationFn: () => post<Webhook & { secret: string }>(BASE, { name: name.trim(), url: url.trim(), types, filters }),
    onSuccess: () => refresh('webhooks'),
  })
  const close = () => {
    create.reset()
    onClose()
  }
  return (
    <Modal opened={opened} onClose={close} title={create.data ? 'Copy the secret now' : 'New webhook'} size={480}>
      {create.data ? (
        <div style={{ display: 'grid', gap: 12 }}>
          <div>It is shown this once. The receiver checks the signature of each event with it.</div>
          <CodeBlock code={create.data.secret} label="Secret" />
          <Button onClick={close} style={{ justifySelf: 'end' }}>Done</Button>
        </div>
      ) : (
        <form
          style={{ display: 'grid', gap: 14 }}
          onSubmit={(e) => {
            e.preventDefault()
            create.mutate()
          }}
        >
          <TextInput label="Name" required value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
          <TextInput label="Address" description="Events are posted there" type="url" required value={url} onChange={(e) => setUrl(e.currentTarget.value)} />
          <TagsInput label="Event types" description="Beginnings, such as dev.taxiway.entity.; none: all" value={types} onChange={setTypes} />
          <TagsInput label="Entity filters" description="Such as kind=component,spec.type=service; none: all" splitChars={[';']} value={filters} onChange={setFilters} />
          <Refusal error={create.error} />
          <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
            <Button variant="default" onClick={close}>Cancel</Button>
            <Button type="submit" loading={create.isPending} disabled={!name.trim() || !url.trim()}>Create webhook</Button>
          </div>
        </form>
      )}
    </Modal>
  ) // prettier-ignore
}
