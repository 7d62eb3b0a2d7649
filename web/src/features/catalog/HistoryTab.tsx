import { getRouteApi } from '@tanstack/react-router'
import { History } from 'lucide-react'
import { Panel } from '~/ui/parts'
import { HistoryView } from './HistoryView'

const route = getRouteApi('/app/catalog/$kind/$namespace/$name')

export default function HistoryTab() {
  const of = route.useParams()
  return (
    <Panel title="History" icon={History}>
      <HistoryView of={of} />
    </Panel>
  )
}
