/** Lines of a log: first what is stored, page by page, then what is streamed. Doubles are dropped by sequence number. */
import { useEffect, useRef, useState } from 'react'
import { openStream } from '~/api/stream'
import { LOG_PAGE } from '~/api/queries'
import type { LogLine, LogLines } from '~/api/types'

const KEEP = 100_000
const PAGE_LIMIT = 100

type Source = { load: (after: number) => Promise<LogLines>; stream?: (after: number) => string; event?: string }

export function mergeLines(old: LogLine[], more: LogLine[]): LogLine[] {
  const last = old.at(-1)?.seq ?? -1
  const fresh = more.filter((l) => l.seq > last)
  if (!fresh.length) return old
  const all = [...old, ...fresh]
  return all.length > KEEP ? all.slice(-KEEP) : all
}

/** `key` names the log; when it changes everything starts anew. */
export function useLines(key: string, source: Source): { lines: LogLine[]; error: unknown } {
  const [state, setState] = useState<{ key: string; lines: LogLine[]; error: unknown }>({ key, lines: [], error: undefined })
  const from = useRef(source)
  useEffect(() => {
    from.current = source
  })
  useEffect(() => {
    let on = true
    let close = () => {}
    let lines: LogLine[] = []
    const put = (more: LogLine[]) => {
      lines = mergeLines(lines, more)
      if (on) setState({ key, lines, error: undefined })
    }
    const run = async () => {
      for (let page = 0; on && page < PAGE_LIMIT; page++) {
        const got = await from.current.load(lines.at(-1)?.seq ?? 0)
        const before = lines.length
        put(got.items)
        if (got.items.length < LOG_PAGE || lines.length === before) break
      }
      const path = from.current.stream?.(lines.at(-1)?.seq ?? 0)
      if (on && path) close = openStream(path, { [from.current.event ?? 'log']: (data) => put([data as LogLine]) })
    }
    run().catch((error: unknown) => on && setState({ key, lines, error }))
    return () => {
      on = false
      close()
    }
  }, [key])
  return state.key === key ? state : { lines: [], error: undefined }
}
