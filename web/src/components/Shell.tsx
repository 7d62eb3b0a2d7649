import { ActionIcon, Drawer, Kbd, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useDocumentTitle, useHotkeys, useMediaQuery } from '@mantine/hooks'
import { spotlight } from '@mantine/spotlight'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useMatches, useNavigate, useRouterState } from '@tanstack/react-router'
import { Boxes, Keyboard, LayoutGrid, Menu as MenuIcon, Plus, Rocket, Search } from 'lucide-react'
import { type FocusEvent, Fragment, useMemo, useState } from 'react'
import { infoQuery, kindsQuery, meQuery, organisationOf } from '~/api/queries'
import { KindIcons } from '~/ui/kind-icons'
import { CommandPalette } from './CommandPalette'
import s from './shell.module.css'
import { ShortcutSheet } from './ShortcutSheet'
import { SideBar } from './SideBar'
import { useSequences } from './useSequences'

export type Crumb = [title: string, to?: string]
type CrumbData = { crumb?: (params: Record<string, string>) => Crumb[] }

function Crumbs() {
  const matches = useMatches()
  const crumbs = matches.flatMap((m) => (m.staticData as CrumbData).crumb?.(m.params as Record<string, string>) ?? [])
  const { data: info } = useQuery(infoQuery())
  const last = crumbs.at(-1)?.[0]
  useDocumentTitle([...new Set([last, organisationOf(info), 'Taxiway'])].filter(Boolean).join(' · '))
  return (
    <nav aria-label="Breadcrumb" className={s.crumbs}>
      {crumbs.map(([title, to], i) => (
        <Fragment key={title + i}>
          {i > 0 && <span className="t3" aria-hidden>/</span>}
          {to && i < crumbs.length - 1 ? <Link to={to} className={s.crumb}>{title}</Link> : <span className={s.crumbLast} aria-current="page">{title}</span>}
        </Fragment>
      ))}
    </nav>
  ) // prettier-ignore
}

/** Browsers leave what is half cut in a scroller where it is; the focus has to be seen whole. */
const reveal = (e: FocusEvent<HTMLElement>) => {
  if (
    e.target !== e.currentTarget &&
    e.target.matches('a, button, input') &&
    e.target.matches(':focus-visible') &&
    !e.target.closest('.react-flow')
  )
    e.target.scrollIntoView({ block: 'nearest', inline: 'nearest' })
}

export function Shell() {
  const { setColorScheme } = useMantineColorScheme()
  const dark = useComputedColorScheme('light') === 'dark'
  const nav = useNavigate()
  const small = useMediaQuery('(max-width: 760px)')
  const [open, setOpen] = useState(false)
  const [sheet, setSheet] = useState(false)
  const { data: me } = useQuery(meQuery())
  const { data: kinds } = useQuery({ ...kindsQuery(), retry: false })
  const icons = useMemo(() => Object.fromEntries((kinds?.items ?? []).map((k) => [k.name.toLowerCase(), k.icon ?? undefined])), [kinds]) // prettier-ignore
  const where = useRouterState({ select: (r) => r.location.pathname })
  const [shown, setShown] = useState(where)
  if (shown !== where) {
    setShown(where)
    setOpen(false)
  }
  const toggleScheme = () => setColorScheme(dark ? 'light' : 'dark')
  useHotkeys([
    ['mod+K', () => spotlight.open(), { preventDefault: true }],
    ['mod+J', toggleScheme, { preventDefault: true }],
    ['c', () => void nav({ to: '/create' })],
    ['shift+/', () => setSheet(true), { usePhysicalKeys: false }],
    ['?', () => setSheet(true)],
  ])
  useSequences(
    { h: '/', c: '/catalog', n: '/create', e: '/environments', p: '/pulls', r: '/runs', s: '/settings' },
    (to) => void nav({ to }),
  )
  return (
    <KindIcons value={icons}>
      <div className={s.root}>
        <a href="#main" className={s.skip}>Skip to content</a>
        {small ? (
          <Drawer opened={open} onClose={() => setOpen(false)} size={260} withCloseButton={false} padding={0} title="Navigation" styles={{ header: { display: 'none' } }}>
            <SideBar me={me} onScheme={toggleScheme} dark={dark} />
          </Drawer>
        ) : (
          <SideBar me={me} onScheme={toggleScheme} dark={dark} />
        )}
        <div className={s.main}>
          <header className={s.top}>
            {small && (
              <ActionIcon aria-label="Open navigation" onClick={() => setOpen(true)}>
                <MenuIcon size={17} />
              </ActionIcon>
            )}
            <Crumbs />
            <span style={{ flex: 1 }} />
            {small && (
              <ActionIcon aria-label="Search" onClick={() => spotlight.open()}>
                <Search size={16} />
              </ActionIcon>
            )}
            {!small && (
              <Tooltip label={<>Keyboard shortcuts <Kbd>?</Kbd></>}>
                <ActionIcon aria-label="Keyboard shortcuts" onClick={() => setSheet(true)}><Keyboard size={16} /></ActionIcon>
              </Tooltip>
            )}
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon aria-label="New" variant="filled" color="iris" className={s.new}>
                  <Plus size={16} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<Rocket size={15} />} onClick={() => void nav({ to: '/create' })}>New from a golden path</Menu.Item>
                <Menu.Item leftSection={<Plus size={15} />} onClick={() => void nav({ to: '/catalog/add' })}>Add an entity</Menu.Item>
                <Menu.Item leftSection={<LayoutGrid size={15} />} onClick={() => void nav({ to: '/catalog', search: { register: true } })}>Register existing</Menu.Item>
                <Menu.Item leftSection={<Boxes size={15} />} onClick={() => void nav({ to: '/environments' })}>Deploy a release</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </header>
          <main id="main" className={s.body} tabIndex={-1} onFocus={reveal}>
            <Outlet />
          </main>
        </div>
        <CommandPalette onScheme={toggleScheme} />
        <ShortcutSheet opened={sheet} onClose={() => setSheet(false)} />
      </div>
    </KindIcons>
  ) // prettier-ignore
}
