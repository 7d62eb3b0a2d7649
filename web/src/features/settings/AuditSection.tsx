import { Button, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { ScrollText, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { eventsQuery, verifyAudit } from '~/api/queries'
import { shortRef } from '~/api/refs'
import { notifyError } from '~/components/notify'
import { Subject } from '~/components/Subject'
import { Await } from '~/components/RouteStates'
import { ShowMore } from '~/components/ShowMore'
import { DataTable } from '~/ui/DataTable'
import { Ago, CodeBlock, EmptyState, Panel } from '~/ui/parts'
import { StatusBadge } from '~/ui/Status'
import { count } from '~/ui/time'
import ui from '~/ui/ui.module.css'

const route = getRouteApi('/app/settings/{-$section}')

export default function AuditSection() {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const query = useInfiniteQuery(eventsQuery({ ...search, limit: 50 }))
  const [open, setOpen] = useState<string>()
  const apply = useDebouncedCallback(
    (p: Partial<typeof search>) => void nav({ search: (o) => ({ ...o, ...p }), replace: true }),
    250,
  )
  const verify = useMutation({ mutationFn: verifyAudit, onError: (e) => notifyError('The chain could not be verified', e) })
  return (
    <Panel
      title="Audit log"
      icon={ScrollText}
      right={
        <>
          {verify.data && (
            <span role="status">
              <StatusBadge tone={verify.data.ok ? 'ok' : 'bad'}>{verify.data.ok ? `${count(verify.data.checked)} events intact` : (verify.data.problem ?? 'the chain is broken')}</StatusBadge>
            </span>
          )}
          <Button size="xs" variant="default" leftSection={<ShieldCheck size={13} />} loading={verify.isPending} onClick={() => verify.mutate()}>Verify the chain</Button>
        </>
      }
    >
      <div style={{ display: 'flex', gap: 8, padding: 12, flexWrap: 'wrap' }}>
        <TextInput aria-label="Type of event" placeholder="Type, such as dev.cdevents.service" defaultValue={search.type} w={260} onChange={(e) => apply({ type: e.currentTarget.value || undefined })} />
        <TextInput aria-label="Subject" placeholder="Subject" defaultValue={search.subject} w={220} onChange={(e) => apply({ subject: e.currentTarget.value || undefined })} />
      </div>
      <Await query={query} rows={8}>
        {({ pages }) => {
          const items = pages.flatMap((p) => p.items)
          if (!items.length) return <EmptyState icon={ScrollText} title="No event matches" compact>Every change writes one.</EmptyState>
          return (
            <DataTable
              label="Events"
              rows={items}
              rowKey={(e) => e.id}
              below={(e) => open === e.id && <CodeBlock code={JSON.stringify(e, undefined, 2)} label={`Event ${e.seq}`} />}
              columns={[
                { title: 'Seq', className: 'num t3', cell: (e) => e.seq },
                {
                  title: 'What',
                  head: true,
                  cell: (e) => <button type="button" className={ui.plain} aria-expanded={open === e.id} onClick={() => setOpen(open === e.id ? undefined : e.id)}>{e.type.replace(/^dev\.(taxiway|cdevents)\./, '')}</button>,
                },
                { title: 'About', cell: (e) => <Subject subject={e.subject} /> },
                { title: 'Who', cell: (e) => <>{shortRef(e.actor)}{e.onbehalfof && ` for ${shortRef(e.onbehalfof)}`}{e.via && <span className="t3"> via {e.via}</span>}</> },
                { title: 'When', cell: (e) => <Ago at={e.time} className="t2" /> },
              ]}
            />
          )
        }}
      </Await>
      <ShowMore query={query} />
    </Panel>
  ) // prettier-ignore
}
