import { Tabs } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { type ComponentType, lazy, Suspense } from 'react'
import { NotFound, Skeletons } from '~/components/RouteStates'
import { Page, PageHeader } from '~/ui/parts'

const route = getRouteApi('/app/settings/{-$section}')
const SECTIONS: [string, string, ComponentType][] = [
  ['plugins', 'Plugins', lazy(() => import('./PluginsSection'))],
  ['tokens', 'API tokens', lazy(() => import('./TokensSection'))],
  ['audit', 'Audit', lazy(() => import('./AuditSection'))],
  ['config', 'Configuration', lazy(() => import('./ConfigSection'))],
  ['webhooks', 'Webhooks', lazy(() => import('./WebhooksSection'))],
]

export function SettingsPage() {
  const { section = 'plugins' } = route.useParams()
  const nav = route.useNavigate()
  if (!SECTIONS.some(([id]) => id === section)) return <NotFound />
  return (
    <Page>
      <PageHeader title="Settings" />
      <Tabs
        value={section}
        onChange={(v) => void nav({ to: '/settings/{-$section}', params: { section: v ?? undefined } })}
        keepMounted={false}
      >
        <Tabs.List style={{ flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }}>
          {SECTIONS.map(([id, label]) => (
            <Tabs.Tab key={id} value={id}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {SECTIONS.map(([id, , Section]) => (
          <Tabs.Panel key={id} value={id} pt={14}>
            <Suspense fallback={<Skeletons />}>
              <Section />
            </Suspense>
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  )
}
