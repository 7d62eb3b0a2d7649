import { Button } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { GitPullRequest, GitPullRequestArrow, Route } from 'lucide-react'
import { declineUpgrade } from '~/api/mutations'
import { goldenServiceQuery } from '~/api/queries'
import type { Entity, GoldenService } from '~/api/types'
import { EntityLink } from './EntityLink'
import { notifyDone, notifyError } from './notify'
import { ErrorState, Skeletons, useRefresh } from './RouteStates'
import { Ago, Facts, Panel } from '~/ui/parts'
import s from './golden.module.css'
import { UpgradeBadge } from './UpgradeState'

const MADE_BY = ['backstage.io/source-template', 'taxiway.dev/template']

/** Which golden path made the entity, whether it lags behind, and the way to the newest version. Others have no card. */
export function GoldenPathCard({ entity, entityRef }: { entity: Entity; entityRef: string }) {
  const query = useQuery({ ...goldenServiceQuery(entityRef), retry: false })
  const service = query.data?.items[0]
  const annotations = entity.metadata.annotations ?? {}
  if (query.data ? !service : !MADE_BY.some((name) => annotations[name])) return null
  return (
    <Panel title="Golden path" icon={Route}>
      {service ? (
        <Made service={service} />
      ) : query.error ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} compact />
      ) : (
        <div style={{ padding: 14 }}>
          <Skeletons rows={3} height={22} />
        </div>
      )}
    </Panel>
  )
}

function Made({ service }: { service: GoldenService }) {
  const refresh = useRefresh()
  const decline = useMutation({
    mutationFn: () => declineUpgrade(service.subject),
    onSuccess: async () => {
      notifyDone('Declined', 'The next version counts as new again.')
      await refresh('golden-services')
    },
    onError: (e) => notifyError('The version could not be declined', e),
  })
  const open = service.state === 'behind' || service.state === 'declined'
  const differs = service.newest !== null && service.newest !== service.version
  return (
    <>
      <Facts
        items={[
          ['Path', <EntityLink key="p" entity={service.template} />],
          ['State', <UpgradeBadge key="s" state={service.state} />],
          ['Version', <span key="v" className="mono">{service.version}</span>],
          ...(differs ? [['Newest', <span key="n" className="mono">{service.newest}</span>] as [string, React.ReactNode]] : []),
          [service.upgraded_at ? 'Upgraded' : 'Made', <Ago key="a" at={service.upgraded_at ?? service.created_at} />],
        ]}
      />
      {service.state === 'unknown' && (
        <p className={s.note}>The golden path cannot be read any more, so there is no newer version. What this was made from is kept.</p>
      )}
      {open && (
        <div className={s.buttons}>
          {service.state === 'behind' && <Button size="xs" variant="default" loading={decline.isPending} onClick={() => decline.mutate()}>Decline</Button>}
          <Button size="xs" leftSection={<GitPullRequestArrow size={14} />} component={Link} to={`/create/upgrades?upgrade=${encodeURIComponent(service.subject)}`}>Upgrade</Button>
        </div>
      )}
      {service.state === 'proposed' && service.pull !== null && (
        <div className={s.buttons}>
          <Button
            size="xs"
            component={Link}
            to={`/pulls/${encodeURIComponent(service.repository)}/${service.pull}`}
            leftSection={<GitPullRequest size={14} />}
          >
            Look at {service.repository}#{service.pull}
          </Button>
        </div>
      )}
    </>
  ) // prettier-ignore
}
