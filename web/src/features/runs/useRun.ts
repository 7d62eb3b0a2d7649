/** A run that stays current: what is stored, then the stream of its events until it has ended. */
import { useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { LOG_PAGE, runEventsPath, runLogs, runQuery } from '~/api/queries'
import { openStream } from '~/api/stream'
import type { LogLine, Run } from '~/api/types'
import { mergeLines } from '~/components/useLines'

const ENDED = new Set(['succeeded', 'failed', 'cancelled', 'undone'])
export const hasEnded = (r: Run) => ENDED.has(r.state)
const PAGE_LIMIT = 50
/** The stream tells of changes at once; this only bounds how long a broken stream goes unnoticed. */
const POLL_MS = 3_000

/** An event may carry the whole run, or only what changed. */
export const applyRun = (old: Run | undefined, data: unknown): Run | undefined => {
  if (typeof data !== 'object' || data === null) return old
  const next = data as Partial<Run>
  return old && next.version !== undefined && old.version !== undefined && next.version < old.version
    ? old
    : ({ ...old, ...next } as Run)
}

export function useRun(id: string) {
  const client = useQueryClient()
  const options = runQuery(id)
  const { data: run } = useSuspenseQuery({
    ...options,
    refetchInterval: (q) => (q.state.data && hasEnded(q.state.data) ? false : POLL_MS),
  })
  const [log, setLog] = useState<{ id: string; lines: LogLine[] }>({ id, lines: [] })
  const ended = hasEnded(run)
  useEffect(() => {
    let on = true
    let close = () => {}
    let lines: LogLine[] = []
    const put = (more: LogLine[]) => {
      lines = mergeLines(lines, more)
      if (on) setLog({ id, lines })
    }
    const load = async () => {
      for (let page = 0; on && page < PAGE_LIMIT; page++) {
        const got = await runLogs(id, lines.at(-1)?.seq ?? 0)
        const before = lines.length
        put(got.items)
        if (got.items.length < LOG_PAGE || lines.length === before) break
      }
    }
    const refetch = () => void client.invalidateQueries({ queryKey: options.queryKey })
    void load()
      .catch(() => undefined) // the stream below brings the same lines
      .then(() => {
        if (!on || ended) return
        close = openStream(runEventsPath(id), {
          run: (data) => {
            client.setQueryData(options.queryKey, (old: Run | undefined) => applyRun(old, data))
            if (!(data as Partial<Run>).steps) refetch()
          },
          log: (data) => put([data as LogLine]),
          end: () => {
            close()
            refetch()
            void load().catch(() => undefined)
          },
        })
      })
    return () => {
      on = false
      close()
    }
    // the key is stable for one id
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [id, ended])
  return { run, lines: log.id === id ? log.lines : [] }
}
