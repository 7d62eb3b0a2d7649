/** A card that a plugin declares as data: an API operation and how to draw its answer. No code of a plugin runs in the portal. */
import { useQuery } from '@tanstack/react-query'
import { Puzzle } from 'lucide-react'
import { Component, type ReactNode } from 'react'
import { fill } from '~/api/client'
import { cardDataQuery } from '~/api/queries'
import type { RefParts } from '~/api/refs'
import type { PortalCard } from '~/api/types'
import { Await } from '~/components/RouteStates'
import { EmptyState, Panel } from '~/ui/parts'
import { Drawing } from './displays'

/** One broken card must not take its page along. */
class Boundary extends Component<{ children: ReactNode; title: string }, { failed: boolean }> {
  override state = { failed: false }
  static getDerivedStateFromError() {
    return { failed: true }
  }
  override render() {
    return this.state.failed ? (
      <EmptyState icon={Puzzle} title="This card could not be drawn" compact>
        The plugin answered in a shape that “{this.props.title}” does not have. Its conformance test shows the expected one.
      </EmptyState>
    ) : (
      this.props.children
    )
  }
}

export function PluginCard({ card, entity }: { card: PortalCard; entity?: RefParts & { ref: string } }) {
  const local = card.operation.startsWith('/api/')
  const query = useQuery({ ...cardDataQuery(fill(card.operation, entity ?? {})), enabled: local })
  return (
    <Panel title={card.title} icon={Puzzle}>
      <Boundary title={card.title}>
        {local ? (
          <Await query={query}>
            {(data) => <Drawing display={card.display} data={data} columns={card.columns} title={card.title} />}
          </Await>
        ) : (
          <EmptyState icon={Puzzle} title="Not an operation of this server" compact>
            A card may read only paths under /api/.
          </EmptyState>
        )}
      </Boundary>
    </Panel>
  )
}
