import { Tabs } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { type ComponentType, lazy, Suspense } from 'react'
import { NotFound, Skeletons } from '~/components/RouteStates'
import { Page, PageHeader } from '~/ui/parts'
import { isSection, type Section, SECTIONS } from './sections'

const route = getRouteApi('/app/settings/{-$section}')
const PARTS: Record<Section, ComponentType> = {
  plugins: lazy(() => import('./PluginsSection')),
  tokens: lazy(() => import('./TokensSection')),
  roles: lazy(() => import('./RolesSection')),
  audit: lazy(() => import('./AuditSection')),
  config: lazy(() => import('./ConfigSection')),
  webhooks: lazy(() => import('./WebhooksSection')),
}
const ALL = Object.entries(PARTS) as [Section, ComponentType][]

export function SettingsPage() {
  const { section = 'plugins' } = route.useParams()
  const nav = route.useNavigate()
  if (!isSection(section)) return <NotFound />
  return (
    <Page>
      <PageHeader title="Settings" />
      <Tabs
        value={section}
        onChange={(v) => void nav({ to: '/settings/{-$section}', params: { section: v ?? undefined } })}
        keepMounted={false}
      >
        <Tabs.List style={{ flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }}>
          {ALL.map(([id]) => (
            <Tabs.Tab key={id} value={id}>
              {SECTIONS[id]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {ALL.map(([id, Part]) => (
          <Tabs.Panel key={id} value={id} pt={14}>
            <Suspense fallback={<Skeletons />}>
              <Part />
            </Suspense>
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  )
}
