/** What the overview of a system, a domain, a team or a person shows beside its relations. */
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Layers, LayoutGrid, Users } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { facetsQuery, kindsQuery } from '~/api/queries'
import { entityRef, splitRef, titleOf } from '~/api/refs'
import type { Entity } from '~/api/types'
import { EntityLink } from '~/components/EntityLink'
import { Await } from '~/components/RouteStates'
import { DataTable } from '~/ui/DataTable'
import { EmptyState, Panel } from '~/ui/parts'
import { KindIcon } from '~/ui/KindIcon'
import { StatusBadge, toneOf } from '~/ui/Status'
import { count } from '~/ui/time'
import { type Found, ownedQuery, partsQuery, teamQuery, teamsOfQuery } from './belonging'
import s from './entity.module.css'
import type { TabProps } from './EntityPage'

const related = (e: Entity, type: string) => (e.relations ?? []).filter((r) => r.type === type).map((r) => r.targetRef)
const ownerOf = (e: Entity) => related(e, 'ownedBy')[0]

export function BelongingPanels(props: TabProps) {
  const { kind } = splitRef(props.entityRef)
  if (kind === 'system' || kind === 'domain') return <Parts {...props} />
  if (kind === 'group') return <Team {...props} />
  if (kind === 'user') return <Person {...props} />
  return null
}

type ListProps = { label: string; found: Found; extra?: { title: string; cell: (e: Entity) => ReactNode } }
const FIRST = 20
/** The first of them, and all that were asked for when somebody wants them. */
function EntityList({ label, found, extra }: ListProps) {
  const [all, setAll] = useState(false)
  const rows = all ? found.items : found.items.slice(0, FIRST)
  return (
    <>
      <DataTable
        label={label}
        rows={rows}
        rowKey={(e) => entityRef(e)}
        columns={[
          { title: 'Name', head: true, cell: (e) => <EntityLink entity={entityRef(e)} title={titleOf(e)} /> },
          { title: 'Kind', cell: (e) => <span className="t2">{[e.kind, (e.spec as { type?: string } | undefined)?.type].filter(Boolean).join(', ')}</span> },
          { title: 'Lifecycle', cell: (e) => <Lifecycle entity={e} /> },
          ...(extra ? [extra] : []),
        ]}
      />
      {rows.length < found.items.length && <div style={{ padding: 12 }}><Button size="xs" variant="default" onClick={() => setAll(true)}>Show {found.items.length - rows.length} more</Button></div>}
      {all && found.total > found.items.length && <p className={s.note}>The first {found.items.length} of {found.total}.</p>}
    </>
  ) // prettier-ignore
}
function Lifecycle({ entity }: { entity: Entity }) {
  const { lifecycle } = (entity.spec ?? {}) as { lifecycle?: string }
  return lifecycle ? <StatusBadge tone={toneOf(lifecycle)}>{lifecycle}</StatusBadge> : null
}

function Parts({ entity, entityRef: ref }: TabProps) {
  const query = useQuery(partsQuery(ref))
  const kind = entity.kind.toLowerCase()
  return (
    <Panel title="What belongs to it" icon={Layers} right={<Link to="/catalog/graph" search={{ entity: ref, depth: 3, side: 'in' }} className={s.link}>As a graph</Link>}>
      <Await query={query} rows={5}>
        {(found) =>
          found.items.length ? (
            <EntityList label="What belongs to it" found={found} extra={{ title: 'Owner', cell: (e) => { const owner = ownerOf(e); return owner && <EntityLink entity={owner} size={16} /> } }} />
          ) : (
            <EmptyState icon={Layers} title="Nothing belongs to it yet" compact>An entity says so with spec.{kind} in its catalog-info.yaml.</EmptyState>
          )
        }
      </Await>
    </Panel>
  ) // prettier-ignore
}

function Team({ entityRef: ref }: TabProps) {
  const query = useQuery(teamQuery(ref))
  return (
    <>
      <Panel title="Members" icon={Users}>
        <Await query={query} rows={4}>
          {({ members, further, below }) =>
            members.items.length || further.items.length || below.length ? (
              <div className={s.relations}>
                <Names title="In this team" items={members.items} total={members.total} />
                <Names title="In teams below it" items={further.items} total={further.total} />
                <Names title="Teams below it" items={below} total={below.length} />
              </div>
            ) : (
              <EmptyState icon={Users} title="No members" compact>A person says so with spec.memberOf, a directory brings them by itself.</EmptyState>
            )
          }
        </Await>
      </Panel>
      {query.data && <Owns owner={ref} others={query.data.below.map(entityRef)} how="Through teams below it" />}
    </>
  ) // prettier-ignore
}

function Person({ entity, entityRef: ref }: TabProps) {
  const direct = related(entity, 'memberOf')
  const above = useQuery(teamsOfQuery(ref, direct))
  return (
    <>
      <Panel title="Teams" icon={Users}>
        <Await query={above} rows={3}>
          {(further) =>
            direct.length ? (
              <div className={s.relations}>
                <section><h3>Member of <span className="t3 num">{direct.length}</span></h3><ul>{direct.map((r) => <li key={r}><EntityLink entity={r} /></li>)}</ul></section>
                <Names title="Through these also in" items={further} total={further.length} />
              </div>
            ) : (
              <EmptyState icon={Users} title="In no team" compact>spec.memberOf names the teams of a person.</EmptyState>
            )
          }
        </Await>
      </Panel>
      {above.data && <Owns owner={ref} others={[...direct, ...above.data.map(entityRef)]} how="Through teams" />}
    </>
  ) // prettier-ignore
}

function Names({ title, items, total }: { title: string; items: Entity[]; total: number }) {
  if (!items.length) return null
  return (
    <section>
      <h3>{title} <span className="t3 num">{total}</span></h3>
      <ul>{items.map((e) => <li key={entityRef(e)}><EntityLink entity={entityRef(e)} title={titleOf(e)} /></li>)}</ul>
    </section>
  ) // prettier-ignore
}

/** How many of each kind, each a table of its own in the catalog. */
function Counts({ owner }: { owner: string }) {
  const { data: kinds } = useQuery(kindsQuery())
  const { data } = useQuery(facetsQuery(['kind'], [`relations.ownedBy=${owner}`]))
  const found = data?.facets.kind ?? []
  if (found.length < 2) return null
  return (
    <div className={s.counts}>
      {found.map((f) => (
        <Link key={f.value} to="/catalog" search={{ kind: f.value.toLowerCase(), owner: [owner] }}>
          <KindIcon kind={f.value} size={18} />
          <b className="num">{count(f.count)}</b> {kinds?.items.find((k) => k.name === f.value)?.plural ?? f.value}
        </Link>
      ))}
    </div>
  ) // prettier-ignore
}

function Owns({ owner, others, how }: { owner: string; others: string[]; how: string }) {
  const query = useQuery(ownedQuery(owner, others))
  const through = (e: Entity) => { const by = ownerOf(e); return by && <EntityLink entity={by} size={16} /> } // prettier-ignore
  return (
    <Panel title="Owns" icon={LayoutGrid} right={<Link to="/catalog" search={{ owner: [owner] }} className={s.link}>In the catalog</Link>}>
      <Await query={query} rows={4}>
        {(owned) =>
          owned.direct.items.length || owned.through.items.length ? (
            <>
              <Counts owner={owner} />
              {owned.direct.items.length > 0 && <EntityList label="Owns" found={owned.direct} />}
              {owned.through.items.length > 0 && (
                <>
                  <h3 className={s.sub}>{how} <span className="t3 num">{owned.through.total}</span></h3>
                  <EntityList label={how} found={owned.through} extra={{ title: 'Owner', cell: through }} />
                </>
              )}
            </>
          ) : (
            <EmptyState icon={LayoutGrid} title="Owns nothing" compact>spec.owner of an entity names its team.</EmptyState>
          )
        }
      </Await>
    </Panel>
  ) // prettier-ignore
}
