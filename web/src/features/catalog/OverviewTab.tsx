import { useQuery } from '@tanstack/react-query'
import { Boxes, ExternalLink } from 'lucide-react'
import { kindsQuery, ownershipQuery, portalQuery, resourcesQuery } from '~/api/queries'
import { splitRef } from '~/api/refs'
import type { Entity, Ownership } from '~/api/types'
import { EntityLink } from '~/components/EntityLink'
import { GoldenPathCard } from '~/components/GoldenPathCard'
import { Await } from '~/components/RouteStates'
import { PluginCard } from '~/extensions/PluginCard'
import { EmptyState, Facts, Panel } from '~/ui/parts'
import { StateBadge } from '~/ui/Status'
import { BelongingPanels } from './BelongingPanels'
import { CatalogCell } from './CatalogCell'
import { factsOf } from './columns'
import s from './entity.module.css'
import type { TabProps } from './EntityPage'
import { EnvironmentCards } from './EnvironmentCards'
import { PropertiesPanel } from './PropertiesPanel'
import { RelationsPanel } from './RelationsPanel'

export default function OverviewTab({ entity, entityRef }: TabProps) {
  const parts = splitRef(entityRef)
  const component = parts.kind === 'component'
  const { data: portal } = useQuery({ ...portalQuery(), retry: false })
  const cards = (portal?.cards ?? []).filter((c) => c.kinds.length === 0 || c.kinds.some((k) => k.toLowerCase() === parts.kind))
  return (
    <>
      {component && <EnvironmentCards service={entityRef} />}
      <div className={s.grid}>
        <div className={s.side}>
          <BelongingPanels entity={entity} entityRef={entityRef} />
          <RelationsPanel entityRef={entityRef} />
          {cards.map((c) => (
            <PluginCard key={c.key} card={c} entity={{ ...parts, ref: entityRef }} />
          ))}
        </div>
        <div className={s.side}>
          <About entity={entity} entityRef={entityRef} />
          <PropertiesPanel entityRef={entityRef} />
          <GoldenPathCard entity={entity} entityRef={entityRef} />
          {component && (
            <Resources service={entityRef} built={Boolean(entity.metadata.annotations?.['taxiway.dev/repository'])} />
          )}
          <Links entity={entity} />
        </div>
      </div>
    </>
  )
}

function About({ entity, entityRef }: TabProps) {
  const { data: owned } = useQuery({ ...ownershipQuery(splitRef(entityRef)), retry: false })
  const spec = (entity.spec ?? {}) as Record<string, unknown>
  const a = entity.metadata.annotations ?? {}
  const source = a['backstage.io/managed-by-origin-location'] ?? a['backstage.io/managed-by-location']
  const { data: kinds } = useQuery(kindsQuery())
  const kind = kinds?.items.find((k) => k.name.toLowerCase() === entity.kind.toLowerCase())
  const items = [
    ['Kind', entity.kind],
    ...(owned?.how === 'inherited' ? [['Owner', <Inherited key="o" owned={owned} />]] : []),
    ...(typeof spec.type === 'string' ? [['Type', spec.type]] : []),
    ...(kind ? factsOf(entity, kind) : []).map((c) => [c.title, <CatalogCell key={c.path} entity={entity} column={c} />]),
    ...(a['backstage.io/source-template'] ? [['Golden path', <EntityLink key="t" entity={a['backstage.io/source-template']} defaultKind="template" />]] : []),
    ...(source ? [['Source', <SourceOf key="s" entity={entity} location={source} />]] : []),
  ] as [string, React.ReactNode][] // prettier-ignore
  return (
    <Panel title="About">
      <Facts items={items} />
    </Panel>
  )
}

/** Where it is written, as a link where a browser can go there. */
function SourceOf({ entity, location }: { entity: Entity; location: string }) {
  const view = entity.metadata.annotations?.['backstage.io/view-url'] ?? location.replace(/^url:/, '')
  const text = <span className="mono">{location}</span>
  return /^https?:/.test(view) ? <a href={view} target="_blank" rel="noreferrer" className={s.link}>{text}</a> : text // prettier-ignore
}

/** An owner that comes from what the entity is part of, with the way there. */
function Inherited({ owned }: { owned: Ownership }) {
  return (
    <span className={s.people}>
      {owned.owners.map((o) => (
        <EntityLink key={o} entity={o} size={16} />
      ))}
      <span className="t3">
        inherited from <EntityLink entity={owned.path.at(-1) ?? ''} size={14} />
      </span>
    </span>
  )
}

/** What is only described here has none, and asks for none. */
function Resources({ service, built }: { service: string; built: boolean }) {
  const query = useQuery(resourcesQuery({ service }))
  if (!built && !query.data?.items.length) return null
  return (
    <Panel title="Resources">
      <Await query={query} rows={3}>
        {({ items }) =>
          items.length ? (
            items.map((r) => (
              <div key={r.id} className={s.check}>
                <span style={{ flex: 1, minWidth: 0 }}>
                  <span style={{ fontWeight: 500 }}>{r.type}</span> <span className="t2">{r.name}</span>
                  <span className="t3 trunc" style={{ display: 'block', fontSize: 11.5 }}>
                    {r.error ?? [r.environment, r.driver].filter(Boolean).join(' · ')}
                  </span>
                </span>
                <StateBadge state={r.state} />
              </div>
            ))
          ) : (
            <EmptyState icon={Boxes} title="No resources" compact>
              What score.yaml asks for appears here after the first deployment.
            </EmptyState>
          )
        }
      </Await>
    </Panel>
  )
}

function Links({ entity }: { entity: Entity }) {
  const links = (entity.metadata.links ?? []).filter((l) => /^https?:/.test(l.url))
  if (!links.length) return null
  return (
    <Panel title="Links">
      {links.map((l) => (
        <a key={l.url} className={s.check} href={l.url} target="_blank" rel="noreferrer">
          <ExternalLink size={14} aria-hidden className="t3" />
          <span className="trunc">{l.title ?? l.url}</span>
        </a>
      ))}
    </Panel>
  )
}
