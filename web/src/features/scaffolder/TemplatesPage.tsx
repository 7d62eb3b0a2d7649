import { Button, TextInput } from '@mantine/core'
import { useQuery, useSuspenseQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import {
  Blocks,
  CalendarClock,
  GitPullRequestArrow,
  Globe,
  type LucideIcon,
  Rocket,
  Search,
  Server,
  SquarePen,
} from 'lucide-react'
import { useState } from 'react'
import { goldenPathsQuery, isForExisting } from '~/api/golden-paths'
import { templatesQuery } from '~/api/queries'
import { entityRef, shortRef } from '~/api/refs'
import type { Entity, GoldenPath } from '~/api/types'
import { Avatar } from '~/ui/Avatar'
import { Cli, EmptyState, Page, PageHeader } from '~/ui/parts'
import { StatusBadge } from '~/ui/Status'
import { count, seconds } from '~/ui/time'
import { Drafts } from './Drafts'
import s from './scaffolder.module.css'

/** What a path makes, by the type in its spec. */
const ICONS: Record<string, LucideIcon> = { service: Server, website: Globe, worker: CalendarClock, 'terraform-module': Blocks }

export function TemplatesPage() {
  const { data } = useSuspenseQuery(templatesQuery())
  const [find, setFind] = useState('')
  const needle = find.toLowerCase()
  const shown = data.items.filter((t) =>
    `${t.metadata.title} ${t.metadata.name} ${t.metadata.description} ${t.metadata.tags?.join(' ')}`
      .toLowerCase()
      .includes(needle),
  )
  return (
    <Page>
      <PageHeader
        title="Create"
        sub="Golden paths: what you get here is built, deployed, observable and owned from the first minute."
        right={<>
          {data.items.length > 6 && <TextInput placeholder="Find a golden path" aria-label="Find a golden path" leftSection={<Search size={14} />} value={find} onChange={(e) => setFind(e.currentTarget.value)} />}
          <Button component={Link} to="/create/editor" variant="default" leftSection={<SquarePen size={14} />}>Template editor</Button>
          <Button component={Link} to="/create/upgrades" variant="default" leftSection={<GitPullRequestArrow size={14} />}>Services and upgrades</Button>
        </>}
      />
      {!needle && <Drafts />}
      {shown.length ? (
        <>
          <Gallery templates={shown.filter((t) => !isForExisting(t))} />
          {shown.some(isForExisting) && (
            <>
              <h2 className={s.part}>For what exists</h2>
              <p className="t2" style={{ margin: '0 0 12px' }}>An entity’s page offers these under Actions.</p>
              <Gallery templates={shown.filter(isForExisting)} />
            </>
          )}
        </>
      ) : needle ? (
        <EmptyState icon={Search} title="No golden path matches">Try a shorter word.</EmptyState>
      ) : (
        <EmptyState icon={Rocket} title="No golden path is registered">
          A template is a catalog entity. By command: <Cli>taxiway catalog register template.yaml</Cli>
        </EmptyState>
      )}
    </Page>
  ) // prettier-ignore
}

function Gallery({ templates }: { templates: Entity[] }) {
  const figures = useQuery(goldenPathsQuery())
  return (
        <div className={s.gallery}>
          {templates.map((t) => {
            const spec = (t.spec ?? {}) as Record<string, string | undefined>
            const owner = shortRef(spec.owner ?? '')
            const Icon = ICONS[spec.type ?? ''] ?? Rocket
            const path = figures.data?.items.find((x) => x.template === entityRef(t))
            return (
              <Link key={entityRef(t)} to="/create/$namespace/$name" params={{ namespace: t.metadata.namespace ?? 'default', name: t.metadata.name }} className={s.tcard}>
                <span className={s.ticon}><Icon size={19} aria-hidden /></span>
                <h2>{t.metadata.title ?? t.metadata.name} <Deprecated path={path} /></h2>
                <p className="t2">{t.metadata.description}</p>
                <div className={s.tags}>{t.metadata.tags?.slice(0, 5).map((x) => <span key={x}>{x}</span>)}</div>
                {path && path.tasks > 0 && <Figures path={path} />}
                <div className={s.tfoot}>
                  {owner && <><Avatar name={owner} square size={16} />{owner}</>}
                  <span style={{ flex: 1 }} />
                  {spec.type}
                </div>
              </Link>
            )
          })}
        </div>
  ) // prettier-ignore
}

function Deprecated({ path }: { path: GoldenPath | undefined }) {
  if (!path?.deprecation) return null
  return <StatusBadge tone="warn">{path.deprecation.is_blocked ? 'no new use' : 'deprecated'}</StatusBadge>
}

/** How the golden path did in the last 90 days. */
function Figures({ path }: { path: GoldenPath }) {
  const told: [string, string][] = [['Used', count(path.tasks)]]
  if (path.success_rate !== null) told.push(['Succeeded', `${Math.round(path.success_rate * 100)} %`])
  if (path.lead_seconds !== null) told.push(['Takes', seconds(path.lead_seconds)])
  if (path.first_deployment_seconds !== null) told.push(['First live', seconds(path.first_deployment_seconds)])
  return (
    <dl className={s.figures} title="In the last 90 days; times are medians">
      {told.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
