import { ActionIcon, Kbd, Menu } from '@mantine/core'
import { spotlight } from '@mantine/spotlight'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import {
  Boxes,
  ChevronsUpDown,
  GitPullRequest,
  House,
  LayoutGrid,
  LogOut,
  Moon,
  Play,
  Puzzle,
  Rocket,
  Search,
  Settings,
  Sun,
} from 'lucide-react'
import { Fragment } from 'react'
import { signOut } from '~/api/mutations'
import { infoQuery, organisationOf, portalQuery, recentRunsQuery } from '~/api/queries'
import type { Me } from '~/api/types'
import { Avatar } from '~/ui/Avatar'
import { notifyError } from './notify'
import s from './shell.module.css'

type Item = [to: string, label: string, icon: typeof House, keys?: string]
const GROUPS: { label?: string; items: Item[] }[] = [
  { items: [['/', 'Home', House, 'g h'], ['/catalog', 'Catalog', LayoutGrid, 'g c'], ['/create', 'Create', Rocket, 'g n']] },
  { label: 'Deliver', items: [['/environments', 'Environments', Boxes, 'g e'], ['/pulls', 'Pull requests', GitPullRequest, 'g p'], ['/runs', 'Runs', Play, 'g r']] },
  { label: 'Platform', items: [['/settings', 'Settings', Settings, 'g s']] },
] // prettier-ignore

const Mark = () => (
  <span className={s.mark}>
    <svg
      width="15"
      height="15"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2.6"
      strokeLinecap="round"
      aria-hidden
    >
      <path d="M12 3v4M12 10v4M12 17v4" />
      <path d="M5 21 9 3M19 21 15 3" opacity=".7" />
    </svg>
  </span>
)

export function SideBar({ me, onScheme, dark }: { me?: Me; onScheme: () => void; dark: boolean }) {
  const { data: info } = useQuery(infoQuery())
  const { data: portal } = useQuery({ ...portalQuery(), retry: false })
  const { data: waiting } = useQuery({
    ...recentRunsQuery({ state: 'needs_attention', limit: 20 }),
    retry: false,
    refetchInterval: 30_000,
  })
  const nav = useNavigate()
  const client = useQueryClient()
  const leave = async () => {
    let there
    try {
      there = (await signOut()).url
    } catch (e) {
      return notifyError('Signing out failed', e)
    }
    client.clear()
    // the provider ends its own session, and leads back to the page for signing in
    if (there) window.location.assign(there)
    else await nav({ to: '/sign-in' })
  }
  const pages = (portal?.pages ?? []).filter((p) => p.navigation)
  const attention = waiting?.items.length ?? 0
  return (
    <nav className={s.side} aria-label="Main">
      <div className={s.ws}>
        <Mark />
        <span className="trunc" style={{ flex: 1 }}>{organisationOf(info)}</span>
        {info?.demo && <span className={s.demo}>demo</span>}
      </div>
      <button type="button" className={s.search} onClick={() => spotlight.open()}>
        <Search size={14} aria-hidden />
        <span style={{ flex: 1, textAlign: 'left' }}>Search or run…</span>
        <Kbd>⌘K</Kbd>
      </button>
      <div className={s.nav}>
        {GROUPS.map((g) => (
          <Fragment key={g.label ?? 'top'}>
            {g.label && <div className={s.label}>{g.label}</div>}
            {g.items.map(([to, label, Icon]) => (
              <Link key={to} to={to} className={s.item} activeOptions={{ exact: to === '/', includeSearch: false }}>
                <Icon size={16} strokeWidth={1.9} aria-hidden />
                {label}
                {to === '/runs' && attention > 0 && (
                  <span className={s.count} data-tone="bad" title={`${attention} need attention`}>{attention}</span>
                )}
              </Link>
            ))}
          </Fragment>
        ))}
        {pages.length > 0 && (
          <>
            <div className={s.label}>Plugins</div>
            {pages.map((n) => (
              <Link key={n.key} to="/x/$page" params={{ page: n.key }} className={s.item}>
                <Puzzle size={16} strokeWidth={1.9} aria-hidden />
                <span className="trunc">{n.title}</span>
              </Link>
            ))}
          </>
        )}
      </div>
      <div className={s.foot}>
        <Menu position="top-start" width={210}>
          <Menu.Target>
            <button type="button" className={s.me} aria-label="Account">
              <Avatar name={me?.display_name ?? '?'} size={24} />
              <span className="trunc" style={{ fontWeight: 500, flex: 1, textAlign: 'left' }}>{me?.display_name ?? ''}</span>
              <ChevronsUpDown size={14} aria-hidden className="t3" />
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{me ? `${me.ref} · ${me.roles.join(', ') || 'no role'}` : ''}</Menu.Label>
            <Menu.Item leftSection={<Settings size={15} />} onClick={() => void nav({ to: '/settings/{-$section}', params: { section: 'tokens' } })}>API tokens</Menu.Item>
            <Menu.Item leftSection={<LogOut size={15} />} onClick={() => void leave()}>Sign out</Menu.Item>
          </Menu.Dropdown>
        </Menu>
        <ActionIcon aria-label={dark ? 'Use the light theme' : 'Use the dark theme'} onClick={onScheme}>{dark ? <Sun size={16} /> : <Moon size={16} />}</ActionIcon>
      </div>
    </nav>
  ) // prettier-ignore
}
