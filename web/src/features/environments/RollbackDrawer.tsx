import { Button, Drawer, Radio } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { History, RotateCcw } from 'lucide-react'
import { useState } from 'react'
import { rollBack } from '~/api/mutations'
import { deploymentsQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import type { Cell, Deployment, Environment } from '~/api/types'
import { Refusal } from '~/components/Refusal'
import { Await } from '~/components/RouteStates'
import { Ago, EmptyState } from '~/ui/parts'
import { StateBadge } from '~/ui/Status'
import s from './matrix.module.css'

/** Releases that ran here before, newest first, each once, without the present one. */
export function earlier(deployments: Deployment[], current: string | undefined): Deployment[] {
  const seen = new Set([current])
  return [...deployments]
    .sort((a, b) => b.created_at - a.created_at)
    .filter((d) => !seen.has(d.release_id) && seen.add(d.release_id))
}

type Props = { service: string; cell?: Cell; environment: Environment; release?: string; onClose: () => void }
export function RollbackDrawer({ service, cell, environment, release, onClose }: Props) {
  const history = useQuery(deploymentsQuery({ service, environment: environment.name, limit: 50 }))
  const nav = useNavigate()
  const [picked, setPicked] = useState(release)
  const before = earlier(history.data?.items ?? [], cell?.release_id)
  const choice = before.find((d) => d.release_id === picked) ?? before[0]
  const start = useMutation({
    mutationFn: (release_id: string) => rollBack({ service_ref: service, environment: environment.name, release_id }),
    onSuccess: ({ run_id }) => nav({ to: '/runs/$id', params: { id: run_id } }),
  })
  return (
    <Drawer opened onClose={onClose} position="right" size={480} title={`Roll back ${shortRef(service)} in ${environment.title}`} classNames={{ body: s.dbody }}>
      <p className="t2" style={{ marginTop: 0 }}>
        {cell ? <>Now live: <span className="mono">{cell.version}</span>. </> : ''}The older release is deployed again as it was built. Its database stays as it is.
      </p>
      <Await query={history}>
        {() =>
          before.length ? (
            <Radio.Group value={choice?.release_id ?? ''} onChange={setPicked} label="Back to">
              <div className={s.box}>
                {before.map((d) => (
                  <Radio.Card  key={d.release_id} value={d.release_id} className={s.li} radius={0} withBorder={false} aria-label={`Release ${d.version}`}>
                    <Radio.Indicator size="xs" />
                    <span className="mono" style={{ fontWeight: 500, flex: 1 }}>{d.version}</span>
                    <StateBadge state={d.state} />
                    <Ago at={d.created_at} className="t3" />
                  </Radio.Card>
                ))}
              </div>
            </Radio.Group>
          ) : (
            <EmptyState icon={History} title="No earlier release ran here" compact>
              There is nothing to go back to.
            </EmptyState>
          )
        }
      </Await>
      <Refusal error={start.error} />
      <div className={s.dfoot}>
        <Button variant="default" onClick={onClose} data-autofocus>Cancel</Button>
        <Button leftSection={<RotateCcw size={15} />} disabled={!choice} loading={start.isPending} onClick={() => choice && start.mutate(choice.release_id)}>Roll back{choice && ` to ${choice.version}`}</Button>
      </div>
    </Drawer>
  ) // prettier-ignore
}
