/** The history of a name by itself: what was removed has no other page. */
import { getRouteApi } from '@tanstack/react-router'
import { History } from 'lucide-react'
import { joinRef } from '~/api/refs'
import { Page, PageHeader, Panel } from '~/ui/parts'
import { HistoryView } from './HistoryView'

const route = getRouteApi('/app/catalog/$kind/$namespace/$name/history')

export function HistoryPage() {
  const of = route.useParams()
  return (
    <Page>
      <PageHeader title={of.name} sub={<span className="mono">{joinRef(of)}</span>} />
      <Panel title="History" icon={History}>
        <HistoryView of={of} />
      </Panel>
    </Page>
  )
}
