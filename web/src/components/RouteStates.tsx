/** The four states that every page shares. One path for errors: denied, missing, unreachable and refused look the same everywhere. */
import { Button, Skeleton } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Link, useRouter } from '@tanstack/react-router'
import { Compass, KeyRound, Lock, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { asApiError } from '~/api/errors'
import { EmptyState, Page } from '~/ui/parts'
import { Detail } from './Detail'

export const Skeletons = ({ rows = 6, height = 38 }: { rows?: number; height?: number }) => (
  <div role="status" aria-label="Loading">
    {Array.from({ length: rows }, (_, i) => (
      <Skeleton key={i} h={height} mb={6} style={{ opacity: 1 - i * (0.8 / rows) }} />
    ))}
  </div>
)

export const RoutePending = () => (
  <Page>
    <Skeleton h={26} w={220} mb={18} aria-hidden />
    <Skeletons rows={10} />
  </Page>
)

type ErrorProps = { error: unknown; retry?: () => void; compact?: boolean; page?: boolean }
export function ErrorState({ error: raw, retry, compact, page }: ErrorProps) {
  const error = asApiError(raw)
  const again = retry && (
    <Button variant="default" onClick={retry}>
      Try again
    </Button>
  )
  const trace = (
    <div className="mono t3" style={{ marginTop: 6, overflowWrap: 'anywhere' }}>
      {error.code}
      {error.requestId && ` · request ${error.requestId}`}
    </div>
  )
  if (error.status === 403)
    return (
      <EmptyState icon={Lock} title="You may not see this" action={again} compact={compact} page={page}>
        <Detail error={error} />
        {trace}
      </EmptyState>
    )
  if (error.status === 401)
    return (
      <EmptyState icon={KeyRound} title="You are signed out" action={<Button component={Link} to="/sign-in">Sign in</Button>} compact={compact} page={page}>
        <Detail error={error} />
      </EmptyState>
    ) // prettier-ignore
  if (error.status === 404)
    return (
      <EmptyState
        icon={Compass}
        title="Nothing is here"
        action={
          page ? (
            <Button component={Link} to="/catalog" variant="default">
              Look in the catalog
            </Button>
          ) : (
            again
          )
        }
        compact={compact}
        page={page}
      >
        <Detail error={error} />
        {trace}
      </EmptyState>
    )
  return (
    <EmptyState icon={TriangleAlert} title="This could not be loaded" action={again} compact={compact} page={page}>
      <Detail error={error} />
      {error.errors.map((e) => (
        <div key={e.pointer + e.detail}>
          <code className="mono">{e.pointer}</code> {e.detail}
        </div>
      ))}
      {trace}
    </EmptyState>
  )
}

export function RouteError({ error }: { error: unknown }) {
  const router = useRouter()
  return (
    <Page>
      <ErrorState error={error} retry={() => void router.invalidate()} page />
    </Page>
  )
}

export const NotFound = () => (
  <Page>
    <EmptyState page icon={Compass} title="There is no such page" action={<Button component={Link} to="/" variant="default">Go home</Button>}>
      Check the address, or press ⌘K to search.
    </EmptyState>
  </Page>
) // prettier-ignore

type QueryLike<T> = { data: T | undefined; error: unknown; isPending: boolean; refetch: () => unknown }
/** A part of a page that loads by itself: skeleton, error with Try again, or its content. */
export function Await<T>({
  query,
  rows = 4,
  children,
}: {
  query: QueryLike<T>
  rows?: number
  children: (data: T) => ReactNode
}) {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.error) return <ErrorState error={query.error} retry={() => void query.refetch()} compact />
  return (
    <div style={{ padding: 14 }}>
      <Skeletons rows={rows} height={26} />
    </div>
  )
}

/** Refreshes the named queries after a write. */
export function useRefresh() {
  const client = useQueryClient()
  return (...keys: string[]) => Promise.all(keys.map((k) => client.invalidateQueries({ queryKey: [k] })))
}
