import { Button } from '@mantine/core'

type Props = { query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }
/** The next page of a list that grows downwards; nothing at its end. */
export const ShowMore = ({ query }: Props) =>
  query.hasNextPage && (
    <div style={{ padding: 12 }}>
      <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
        Show more
      </Button>
    </div>
  )
