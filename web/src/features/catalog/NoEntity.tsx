/** An entity that cannot be shown. What was there once leads to its history, which has no other door. */
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { History } from 'lucide-react'
import { asApiError } from '~/api/errors'
import { historyQuery } from '~/api/queries'
import { joinRef, type RefParts } from '~/api/refs'
import { RouteError, RoutePending } from '~/components/RouteStates'
import { Ago, EmptyState, Page } from '~/ui/parts'

export function NoEntity({ error }: { error: unknown }) {
  const of = useParams({ from: '/app/catalog/$kind/$namespace/$name' })
  return asApiError(error).status === 404 ? <Gone of={of} error={error} /> : <RouteError error={error} />
}

function Gone({ of, error }: { of: RefParts; error: unknown }) {
  const history = useInfiniteQuery({ ...historyQuery(of), retry: false })
  if (history.isPending) return <RoutePending />
  const last = history.data?.pages[0]?.items[0]
  if (last?.verb !== 'deleted') return <RouteError error={error} />
  return (
    <Page>
      <EmptyState
        page
        icon={History}
        title={`${of.name} is not in the catalog any more`}
        action={<Button component={Link} to={`/catalog/${of.kind}/${of.namespace}/${of.name}/history`} variant="default">Its history</Button>}
      >
        <span className="mono">{joinRef(of)}</span> was removed <Ago at={last.at} />. What it was is kept.
      </EmptyState>
    </Page>
  ) // prettier-ignore
}
