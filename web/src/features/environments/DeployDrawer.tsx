import { Alert, Button, Drawer, Radio } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ArrowRight, PackageOpen, Rocket } from 'lucide-react'
import { useState } from 'react'
import { deploy } from '~/api/mutations'
import { releasesQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import type { Environment, MatrixRow, Release } from '~/api/types'
import { Refusal } from '~/components/Refusal'
import { Await } from '~/components/RouteStates'
import { Ago, EmptyState } from '~/ui/parts'
import s from './matrix.module.css'
import { promotable } from './MatrixPage'

type Props = { service: string; row?: MatrixRow; environment: Environment; environments: Environment[]; onClose: () => void }

/** Deploying and promoting are one thing: an existing release goes to an environment. Nothing is built again. */
export function DeployDrawer({ service, row, environment, environments, onClose }: Props) {
  const releases = useQuery(releasesQuery(service))
  const now = row?.cells[environment.name]
  const next = row && promotable(row, environments, environments.indexOf(environment))
  const [picked, setPicked] = useState<string>()
  const nav = useNavigate()
  const items = releases.data?.items ?? []
  const choice = picked ?? next?.cell.release_id ?? items.find((r) => r.id !== now?.release_id)?.id
  const release = items.find((r) => r.id === choice)
  const start = useMutation({
    mutationFn: (release_id: string) => deploy({ service_ref: service, environment: environment.name, release_id }),
    onSuccess: ({ run_id }) => nav({ to: '/runs/$id', params: { id: run_id } }),
  })
  const where = (r: Release) => environments.filter((e) => row?.cells[e.name]?.release_id === r.id).map((e) => e.title)
  return (
    <Drawer opened onClose={onClose} position="right" size={480} title={`${next ? 'Promote' : 'Deploy'} ${shortRef(service)} to ${environment.title}`} classNames={{ body: s.dbody }}>
      <div className={s.move}>
        <div>
          <div className="t3">now in {environment.title}</div>
          <div className="mono">{now?.version ?? 'nothing'}</div>
        </div>
        <ArrowRight size={18} className="t3" aria-hidden />
        <div>
          <div className="t3">after</div>
          <div className="mono">{release?.version ?? 'choose a release'}</div>
        </div>
      </div>
      <Await query={releases}>
        {() =>
          items.length ? (
            <Radio.Group value={choice ?? ''} onChange={setPicked} label="Release" mt={16}>
              <div className={s.box}>
                {items.map((r) => (
                  <Radio.Card  key={r.id} value={r.id} className={s.li} radius={0} withBorder={false} aria-label={`Release ${r.version}`}>
                    <Radio.Indicator size="xs" />
                    <span className="mono" style={{ fontWeight: 500 }}>{r.version}</span>
                    <span className="mono t3">{r.commit.slice(0, 8)}</span>
                    <span className="t2 trunc" style={{ flex: 1 }}>{where(r).join(', ')}</span>
                    <Ago at={r.created_at} className="t3" />
                  </Radio.Card>
                ))}
              </div>
            </Radio.Group>
          ) : (
            <EmptyState icon={PackageOpen} title="No release yet" compact>
              A green pipeline on the default branch makes the first one.
            </EmptyState>
          )
        }
      </Await>
      {environment.production && <Alert variant="light" color="yellow" mt={14}>{environment.title} is production: people use it.</Alert>}
      <Refusal error={start.error} />
      <div className={s.dfoot}>
        <Button variant="default" onClick={onClose} data-autofocus>Cancel</Button>
        <Button leftSection={<Rocket size={15} />} disabled={!release || release.id === now?.release_id} loading={start.isPending} onClick={() => release && start.mutate(release.id)}>
          {next && release?.id === next.cell.release_id ? 'Promote' : 'Deploy'} {release?.version}
        </Button>
      </div>
    </Drawer>
  ) // prettier-ignore
}
