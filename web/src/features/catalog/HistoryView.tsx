/** What happened to an entity, newest first: who, when, and what changed. Deleted entities have one too. */
import { Button } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { CirclePlus, History, PencilLine, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { entityAtQuery, historyQuery } from '~/api/queries'
import { type RefParts, shortRef } from '~/api/refs'
import type { EntityChange, EntityVersion } from '~/api/types'
import { EntityLink } from '~/components/EntityLink'
import { Await } from '~/components/RouteStates'
import { Ago, CodeBlock, EmptyState } from '~/ui/parts'
import { StatusBadge } from '~/ui/Status'
import { pathOf, sidesOf } from './changes'
import s from './history.module.css'
import { toYaml } from './yaml'

const ICONS = { created: CirclePlus, updated: PencilLine, deleted: Trash2 }
const WORDS = { created: 'Created', updated: 'Changed', deleted: 'Removed' }
const SHOWN = 12

export function HistoryView({ of }: { of: RefParts }) {
  const query = useInfiniteQuery(historyQuery(of))
  return (
    <>
      <Await query={query} rows={6}>
        {({ pages }) => {
          const items = pages.flatMap((p) => p.items)
          if (!items.length) return <EmptyState icon={History} title="Nothing is known of it" compact>No version is kept.</EmptyState>
          return (
            <ol className={s.line} aria-label="Versions">
              {items.map((v) => <Entry key={`${v.uid}-${v.version}-${v.verb}`} version={v} of={of} />)}
            </ol>
          )
        }}
      </Await>
      {query.hasNextPage && (
        <div className={s.more}>
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show older</Button>
        </div>
      )}
    </>
  ) // prettier-ignore
}

function Entry({ version: v, of }: { version: EntityVersion; of: RefParts }) {
  const [open, setOpen] = useState(false)
  const [all, setAll] = useState(false)
  const Icon = ICONS[v.verb]
  const changes = v.diff ?? []
  const shown = all ? changes : changes.slice(0, SHOWN)
  return (
    <li className={s.entry} data-verb={v.verb}>
      <span className={s.mark}><Icon size={14} aria-hidden /></span>
      <div className={s.body}>
        <div className={s.what}>
          <strong>{WORDS[v.verb]}</strong>
          <span className="t3">version {v.version}</span>
          {v.current && <StatusBadge tone="ok">current</StatusBadge>}
          <Ago at={v.at} className="t2" />
          <span style={{ flex: 1 }} />
          {v.verb !== 'deleted' && (
            <Button size="xs" variant="default" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? 'Hide the document' : 'As it was'}</Button>
          )}
        </div>
        <div className={s.who}>
          <Who version={v} />
          {v.commit && <span className="mono" title={v.commit}>{v.commit.slice(0, 8)}</span>}
          <span className="mono t3">{v.location}{v.line > 1 && `:${v.line}`}</span>
        </div>
        {v.diff === null && v.verb === 'updated' && <p className={s.note}>The version before is not kept, so what changed is not known.</p>}
        {shown.length > 0 && (
          <ul className={s.changes} aria-label={`Changes of version ${v.version}`}>
            {shown.map((c) => <Change key={c.path} change={c} />)}
          </ul>
        )}
        {changes.length > shown.length && (
          <Button size="xs" variant="subtle" onClick={() => setAll(true)}>Show {changes.length - shown.length} more changes</Button>
        )}
        {open && <Then of={of} at={v.at} version={v.version} />}
      </div>
    </li>
  ) // prettier-ignore
}

function Who({ version: v }: { version: EntityVersion }) {
  if (!v.actor) return <span className="t2">by somebody: it is not kept</span>
  return (
    <span className={s.by}>
      {v.actor.startsWith('user:') ? <EntityLink entity={v.actor} size={16} /> : shortRef(v.actor)}
      {v.via && <span className="t3"> via {v.via}</span>}
    </span>
  )
}

function Change({ change: c }: { change: EntityChange }) {
  const { gone, come } = sidesOf(c)
  return (
    <li>
      <code className={s.path}>{pathOf(c.path)}</code>
      {gone.map((text, n) => (
        <del key={n} className={s.old}>
          <span className={s.sr}>was </span>
          {text}
        </del>
      ))}
      {come.map((text, n) => (
        <ins key={n} className={s.new}>
          <span className={s.sr}>is </span>
          {text}
        </ins>
      ))}
    </li>
  )
}

function Then({ of, at, version }: { of: RefParts; at: number; version: number }) {
  const query = useQuery(entityAtQuery(of, at))
  return <Await query={query} rows={4}>{(entity) => <CodeBlock code={toYaml(entity)} label={`Version ${version}`} />}</Await> // prettier-ignore
}
