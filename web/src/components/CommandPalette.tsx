import { Kbd } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { Spotlight } from '@mantine/spotlight'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import {
  BookOpen,
  Boxes,
  CornerDownLeft,
  GitPullRequest,
  House,
  KeyRound,
  LayoutGrid,
  type LucideIcon,
  Moon,
  Play,
  Plus,
  Rocket,
  Search,
  Settings,
  ShieldCheck,
} from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useState } from 'react'
import { isForExisting, makingPaths } from '~/api/golden-paths'
import { entitiesQuery, templatesQuery } from '~/api/queries'
import { entityRef, splitRef, titleOf } from '~/api/refs'
import { Marked, placeOf, searchQuery, textOf } from './SearchHits'
import { KindIcon } from '~/ui/KindIcon'
import s from './shell.module.css'

type Row = { id: string; group: string; label: ReactNode; hint?: string; icon: ReactNode; keys?: string[]; run: () => void }
type Command = [group: string, label: string, icon: LucideIcon, to: string, keys?: string[], words?: string]
const COMMANDS: Command[] = [
  ['Actions', 'New from a golden path', Rocket, '/create', ['c'], 'create service template'],
  ['Actions', 'Deploy or promote a release', Boxes, '/environments', undefined, 'deploy promote roll back'],
  ['Actions', 'Add an entity', Plus, '/catalog/add', undefined, 'new component api system write'],
  ['Actions', 'Onboard repositories', Plus, '/catalog/onboard', undefined, 'descriptor catalog-info bulk'],
  ['Actions', 'Register an existing component', Plus, '/catalog?register=true', undefined, 'import location'],
  ['Actions', 'Create an API token', KeyRound, '/settings/tokens', undefined, 'access'],
  ['Go to', 'Home', House, '/', ['g', 'h']],
  ['Go to', 'Catalog', LayoutGrid, '/catalog', ['g', 'c']],
  ['Go to', 'Catalog sources', LayoutGrid, '/catalog/sources', undefined, 'locations orphans held removals'],
  ['Go to', 'Catalog relations', LayoutGrid, '/catalog/graph', undefined, 'graph dependencies map'],
  ['Go to', 'Environments', Boxes, '/environments', ['g', 'e']],
  ['Go to', 'Pull requests', GitPullRequest, '/pulls', ['g', 'p'], 'review merge'],
  ['Go to', 'Runs', Play, '/runs', ['g', 'r']],
  ['Go to', 'Settings', Settings, '/settings', ['g', 's'], 'plugins config'],
  ['Go to', 'Audit log', ShieldCheck, '/settings/audit', undefined, 'events'],
]

export function CommandPalette({ onScheme }: { onScheme: () => void }) {
  const [query, setQuery] = useState('')
  const [opened, setOpened] = useState(false)
  const [text] = useDebouncedValue(query.trim(), 120)
  const nav = useNavigate()
  const found = useQuery({ ...entitiesQuery({ limit: 8, order: 'metadata.name,asc' }), enabled: opened && !text })
  const hits = useQuery({ ...searchQuery({ term: text, limit: 8 }), enabled: opened && text !== '' })
  const templates = useQuery({ ...templatesQuery(), enabled: opened })
  const needle = query.trim().toLowerCase()
  const icon = (I: LucideIcon) => <span className={s.aico}><I size={16} aria-hidden /></span> // prettier-ignore
  const fits = (words: string) => !needle || words.toLowerCase().includes(needle)
  const commands = COMMANDS.filter((c) => fits(`${c[1]} ${c[5] ?? ''}`)).map(([group, label, I, to, keys]): Row => ({
    id: label,
    group,
    label,
    icon: icon(I),
    keys,
    run: () => void nav({ href: to }),
  }))
  const theme: Row[] = fits('switch theme dark light')
    ? [{ id: 'theme', group: 'Go to', label: 'Switch theme', icon: icon(Moon), keys: ['⌘', 'J'], run: onScheme }]
    : []
  const results = (text ? (hits.data?.results ?? []) : [])
    .filter((h) => h.type !== 'golden-path')
    .map((h): Row => ({
      id: placeOf(h),
      group: h.type === 'software-catalog' ? 'Catalog' : 'Docs',
      label: <Marked hit={h} field="title" />,
      hint: [textOf(h, 'kind'), textOf(h, h.type === 'techdocs' ? 'entityTitle' : 'owner')].filter(Boolean).join(' · '),
      icon: h.type === 'software-catalog' ? <KindIcon kind={textOf(h, 'kind')} /> : icon(BookOpen),
      run: () => void nav({ href: placeOf(h) }),
    }))
  const all: Row[] = text
    ? [
        {
          id: 'all',
          group: 'Actions',
          label: `Search everything for “${text}”`,
          icon: icon(Search),
          run: () => void nav({ to: '/search', search: { q: text } }),
        },
      ]
    : []
  const entities = (text ? [] : (found.data?.items ?? [])).map((e): Row => ({
    id: entityRef(e),
    group: 'Catalog',
    label: titleOf(e),
    hint: [e.kind.toLowerCase(), e.spec?.owner].filter(Boolean).join(' · '),
    icon: <KindIcon kind={e.kind} />,
    run: () => void nav({ to: '/catalog/$kind/$namespace/$name', params: splitRef(entityRef(e)) }),
  }))
  const known = templates.data?.items ?? []
  const paths = [...makingPaths(known), ...known.filter(isForExisting)]
    .filter((t) => fits(titleOf(t)))
    .slice(0, 3)
    .map((t): Row => ({
      id: `create ${entityRef(t)}`,
      group: 'Create',
      label: titleOf(t),
      hint: t.metadata.description,
      icon: <KindIcon kind="template" />,
      run: () =>
        void nav({
          to: '/create/$namespace/$name',
          params: { namespace: t.metadata.namespace ?? 'default', name: t.metadata.name },
        }),
    }))
  const rows = [...results, ...entities, ...paths, ...all, ...commands, ...theme]
  const groups = needle ? ['Catalog', 'Docs', 'Create', 'Actions', 'Go to'] : ['Actions', 'Catalog', 'Create', 'Go to']
  // Answers arrive after the query changed, and nothing is selected among them yet: Enter means the first.
  const openFirst = (e: KeyboardEvent) => {
    const list = (e.currentTarget as HTMLElement).closest('[role="dialog"]')
    if (e.key === 'Enter' && list && !list.querySelector('[data-selected]'))
      list.querySelector<HTMLElement>('[data-action]')?.click()
  }
  return (
    <Spotlight.Root
      onSpotlightOpen={() => setOpened(true)}
      query={query}
      onQueryChange={setQuery}
      clearQueryOnClose
      scrollable
      maxHeight={440}
      size={640}
      className={s.spot}
      shortcut={null}
      overlayProps={{ backgroundOpacity: 0.4, blur: 1 }}
      transitionProps={{ duration: 90, transition: 'pop' }}
    >
      <Spotlight.Search placeholder="Find a service or a command" aria-label="Find a service or a command" onKeyDown={openFirst} leftSection={<Search size={17} aria-hidden />} />
      <Spotlight.ActionsList>
        {groups.map((g) => {
          const mine = rows.filter((r) => r.group === g)
          return mine.length ? (
            <Spotlight.ActionsGroup key={g} label={g}>
              {mine.map((r) => (
                <Spotlight.Action key={r.id} onClick={r.run} className={s.act}>
                  {r.icon}
                  <span style={{ fontWeight: 500, whiteSpace: 'nowrap' }}>{r.label}</span>
                  <span className="t3 trunc" style={{ flex: 1 }}>{r.hint}</span>
                  <span style={{ display: 'inline-flex', gap: 4 }}>{r.keys?.map((k) => <Kbd key={k}>{k}</Kbd>)}</span>
                </Spotlight.Action>
              ))}
            </Spotlight.ActionsGroup>
          ) : null
        })}
        {!rows.length && <Spotlight.Empty>{found.isFetching || hits.isFetching ? 'Searching…' : 'Nothing matches. Try a shorter word.'}</Spotlight.Empty>}
      </Spotlight.ActionsList>
      <div className={s.sfoot}>
        <span><Kbd>↑</Kbd><Kbd>↓</Kbd> move</span>
        <span><Kbd><CornerDownLeft size={9} aria-label="Enter" /></Kbd> open</span>
        <span style={{ flex: 1 }} />
        <span><Kbd>?</Kbd> all shortcuts</span>
      </div>
    </Spotlight.Root>
  ) // prettier-ignore
}
