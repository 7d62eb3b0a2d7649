import { useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Puzzle } from 'lucide-react'
import { portalQuery } from '~/api/queries'
import { PluginCard } from '~/extensions/PluginCard'
import { EmptyState, Page, PageHeader } from '~/ui/parts'

const route = getRouteApi('/app/x/$page')

export function PluginPage() {
  const { page: key } = route.useParams()
  const { data } = useSuspenseQuery(portalQuery())
  const page = data.pages.find((p) => p.key === key)
  if (!page)
    return (
      <Page>
        <EmptyState icon={Puzzle} title="No plugin has this page">
          It may have failed to load: see Settings, Plugins.
        </EmptyState>
      </Page>
    )
  return (
    <Page>
      <PageHeader title={page.title} />
      <div style={{ display: 'grid', gap: 14 }}>
        {page.cards.map((c) => (
          <PluginCard key={c.key} card={c} />
        ))}
      </div>
    </Page>
  )
}
