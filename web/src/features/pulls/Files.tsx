import { Button } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { FileDiff } from 'lucide-react'
import { pullFilesQuery, pullReviewsQuery } from '~/api/queries'
import type { PullDetail, Review } from '~/api/types'
import { Counts, FileBox } from '~/components/FileDiff'
import { Await } from '~/components/RouteStates'
import { EmptyState } from '~/ui/parts'
import { count } from '~/ui/time'
import { Entry } from './Conversation'
import s from './pulls.module.css'
import { RemarkForm } from './RemarkForm'

export function Files({ pull }: { pull: PullDetail }) {
  const query = useInfiniteQuery(pullFilesQuery(pull.repository, String(pull.number), pull.head_sha))
  const { data: reviews } = useQuery(pullReviewsQuery(pull.repository, String(pull.number)))
  const remarks = (reviews?.items ?? []).filter((r) => r.line !== null && r.commit === pull.head_sha)
  return (
    <Await query={query} rows={8}>
      {({ pages }) => {
        const [first] = pages
        const files = pages.flatMap((p) => p.items)
        if (!first?.total)
          return <EmptyState icon={FileDiff} title="No file differs">Its commits change nothing that the base has not.</EmptyState>
        return (
          <>
            <p className="t2" style={{ margin: '0 0 10px' }}>
              {count(first.total)} {first.total === 1 ? 'file' : 'files'}, <Counts added={first.additions} removed={first.deletions} />
            </p>
            {files.map((f) => (
              <FileBox key={f.path} file={f} below={(line) => <Remarks of={remarks.filter((r) => r.path === f.path && r.line === line)} />}>
                {pull.actions.includes('comment') && <RemarkForm pull={pull} path={f.path} />}
              </FileBox>
            ))}
            {query.hasNextPage && <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show more of {count(first.total)} files</Button>}
          </>
        )
      }}
    </Await>
  ) // prettier-ignore
}

function Remarks({ of }: { of: Review[] }) {
  return of.map((x) => (
    <tr key={x.id}><td colSpan={4} className={s.remark}><Entry author={x.author} at={x.created_at} text={x.body} /></td></tr>
  ))
} // prettier-ignore
