/** Lines of the logs of all runs that hold a text, newest run first; each leads to its step. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { foundLinesQuery, type LogSearch } from '~/api/run-queries'
import { Await } from '~/components/RouteStates'
import { Button } from '@mantine/core'
import { DataTable } from '~/ui/DataTable'
import { Ago, EmptyState, Panel } from '~/ui/parts'
import { StepIcon } from '~/ui/Status'
import s from './run.module.css'

export function FoundLines({ search }: { search: LogSearch }) {
  const query = useInfiniteQuery(foundLinesQuery(search))
  const more = query.hasNextPage && (
    <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Look through older runs</Button>
  ) // prettier-ignore
  return (
    <Await query={query} rows={8}>
      {({ pages }) => {
        const items = pages.flatMap((p) => p.items)
        if (!items.length)
          return (
            <EmptyState icon={Search} title={query.hasNextPage ? 'Not in the newest runs' : 'No log holds this text'} action={more}>
              {query.hasNextPage ? 'Older ones were not looked through yet.' : 'Logs of old runs are removed after a while. Try a shorter text.'}
            </EmptyState>
          )
        return (
          <>
            <Panel>
              <DataTable
                label="Lines that were found"
                rows={items}
                rowKey={(x) => `${x.run_id} ${x.seq}`}
                columns={[
                  { title: 'Line', head: true, cell: (x) => <Link to="/runs/$id" params={{ id: x.run_id }} search={{ step: x.step_id }} className={s.found}><Marked text={x.text} needle={search.text} /></Link> },
                  { title: 'Run', cell: (x) => <span className={s.foundRun}><StepIcon state={x.state} size={14} />{x.title}</span> },
                  { title: 'Step', cell: (x) => <span className={`mono t2 ${s.foundStep}`}>{x.step_id}</span> },
                  { title: 'When', cell: (x) => <Ago at={x.at} className="t2" /> },
                ]}
              />
            </Panel>
            {more && <div style={{ marginTop: 12 }}>{more}</div>}
          </>
        )
      }}
    </Await>
  )
} // prettier-ignore

/** A long line is cut around what was found. */
const AROUND = 160

function Marked({ text, needle }: { text: string; needle: string }) {
  const at = text.toLowerCase().indexOf(needle.toLowerCase())
  if (at < 0) return <>{text.slice(0, 2 * AROUND)}</>
  const [start, end] = [Math.max(0, at - AROUND), at + needle.length]
  return (
    <>
      {start > 0 && '…'}
      {text.slice(start, at)}
      <mark>{text.slice(at, end)}</mark>
      {text.slice(end, end + AROUND)}
      {text.length > end + AROUND && '…'}
    </>
  )
}
