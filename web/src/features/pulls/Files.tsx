import { Button } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { FileDiff } from 'lucide-react'
import { Fragment } from 'react'
import { pullFilesQuery, pullReviewsQuery } from '~/api/queries'
import type { PullDetail, PullFile, Review } from '~/api/types'
import { Await } from '~/components/RouteStates'
import { EmptyState } from '~/ui/parts'
import { count } from '~/ui/time'
import { Entry } from './Conversation'
import { rowsOf } from './diff'
import s from './pulls.module.css'
import { RemarkForm } from './RemarkForm'

/** A file with more lines is shown closed. */
const LONG = 400

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
            {files.map((f) => <FileBox key={f.path} pull={pull} file={f} remarks={remarks.filter((r) => r.path === f.path)} />)}
            {query.hasNextPage && <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show more of {count(first.total)} files</Button>}
          </>
        )
      }}
    </Await>
  ) // prettier-ignore
}

function Counts({ added, removed }: { added: number | null; removed: number | null }) {
  return (
    <span className="num">
      <span className={s.plus}>+{count(added ?? 0)}</span> <span className={s.minus}>−{count(removed ?? 0)}</span>
    </span>
  )
}

type FileProps = { pull: PullDetail; file: PullFile; remarks: Review[] }
function FileBox({ pull, file, remarks }: FileProps) {
  const rows = file.patch ? rowsOf(file.patch) : []
  return (
    <details className={s.file} open={rows.length <= LONG}>
      <summary>
        <span className="mono trunc" style={{ flex: 1, minWidth: 0 }}>
          {file.previous_path && <span className="t3">{file.previous_path} → </span>}
          {file.path}
        </span>
        <span className="t2">{file.status.replace('_', ' ')}</span>
        {!file.is_binary && <Counts added={file.additions} removed={file.deletions} />}
      </summary>
      {file.is_binary && <p className={s.note}>A binary file.</p>}
      {!file.is_binary && !rows.length && <p className={s.note}>{file.is_cut ? 'Too large to be shown here: look at it in a clone.' : 'Its content is the same.'}</p>}
      {rows.length > 0 && (
        <div className={s.code} tabIndex={0} role="region" aria-label={`Changes of ${file.path}`}>
          <table>
            <tbody>
              {rows.map((r, i) => (
                <Fragment key={i}>
                  <tr data-kind={r.kind}>
                    <td className={s.no}>{r.before}</td>
                    <td className={s.no}>{r.after}</td>
                    <td className={s.mark} aria-label={r.kind === 'add' ? 'added' : r.kind === 'remove' ? 'removed' : undefined}>{r.kind === 'add' ? '+' : r.kind === 'remove' ? '−' : ''}</td>
                    <td><code>{r.text}</code></td>
                  </tr>
                  {r.after !== undefined && remarks.filter((x) => x.line === r.after).map((x) => (
                    <tr key={x.id}><td colSpan={4} className={s.remark}><Entry author={x.author} at={x.created_at} text={x.body} /></td></tr>
                  ))}
                </Fragment>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {file.is_cut && rows.length > 0 && <p className={s.note}>The rest is too large to be shown here: look at it in a clone.</p>}
      {rows.length > 0 && pull.actions.includes('comment') && <RemarkForm pull={pull} path={file.path} />}
    </details>
  ) // prettier-ignore
}
