import { ActionIcon, TextInput, Tooltip } from '@mantine/core'
import { ArrowDownToLine, Braces, Copy, Download, Search } from 'lucide-react'
import { type ReactNode, useMemo, useState } from 'react'
import { LogViewer, type LogRow } from '~/ui/LogViewer'
import { readStructured, toneOfLevel } from '~/ui/log-line'
import { clockTime, count } from '~/ui/time'
import { notifyDone, notifyError } from './notify'
import s from './shared.module.css'

export type LogText = { seq: number; at?: number | null; stream?: string; text: string }
type Props = { title: ReactNode; lines: LogText[]; name: string; label: string; empty?: string; extra?: ReactNode }

/** A log with search, follow, copy and download. The caller owns where the lines come from. */
export function LogPanel({ title, lines, name, label, empty = 'No output yet', extra }: Props) {
  const [follow, setFollow] = useState(true)
  const [find, setFind] = useState('')
  const [raw, setRaw] = useState(false)
  const rows = useMemo(
    () =>
      lines.map((l): LogRow => {
        const text = l.text.replace(/\r?\n$/, '')
        const line = raw ? undefined : readStructured(text)
        const stamp = clockTime(l.at ?? line?.at) || undefined
        if (!line) return { key: l.seq, text, stamp, tone: l.stream === 'stderr' ? 'error' : undefined }
        return { key: l.seq, text: line.message, fields: line.fields, level: line.level, stamp, tone: toneOfLevel(line.level) }
      }),
    [lines, raw],
  )
  const structured = raw || rows.some((r) => r.level !== undefined)
  const needle = find.toLowerCase()
  const hits = useMemo(
    () => (needle ? rows.filter((r) => `${r.text} ${r.fields ?? ''}`.toLowerCase().includes(needle)).length : 0),
    [rows, needle],
  )
  const all = () => lines.map((l) => l.text.replace(/\r?\n$/, '')).join('\n')
  const copy = () =>
    navigator.clipboard.writeText(all()).then(
      () => notifyDone('Log copied'),
      (e: unknown) => notifyError('The log could not be copied', e),
    )
  const download = () => {
    const url = URL.createObjectURL(new Blob([all()], { type: 'text/plain' }))
    Object.assign(document.createElement('a'), { href: url, download: `${name}.log` }).click()
    URL.revokeObjectURL(url)
  }
  return (
    <div className={s.log}>
      <div className={s.logBar}>
        {title}
        <span className="t3 num">
          {needle
            ? `${count(hits)} of ${count(rows.length)} lines`
            : `${count(rows.length)} ${rows.length === 1 ? 'line' : 'lines'}`}
        </span>
        <span style={{ flex: 1 }} />
        {extra}
        <TextInput
          w={170}
          placeholder="Search log"
          aria-label="Search log"
          leftSection={<Search size={13} />}
          value={find}
          onChange={(e) => setFind(e.currentTarget.value)}
          styles={{ input: { height: 26, minHeight: 26 } }}
        />
        {structured && (
          <Tooltip label={raw ? 'Show in words' : 'Show as written'}>
            <ActionIcon
              aria-label="Show lines as written"
              aria-pressed={raw}
              variant={raw ? 'light' : 'subtle'}
              color={raw ? 'iris' : 'gray'}
              onClick={() => setRaw(!raw)}
            >
              <Braces size={15} />
            </ActionIcon>
          </Tooltip>
        )}
        <Tooltip label="Follow the end">
          <ActionIcon
            aria-label="Follow the end"
            aria-pressed={follow}
            variant={follow ? 'light' : 'subtle'}
            color={follow ? 'iris' : 'gray'}
            onClick={() => setFollow(!follow)}
          >
            <ArrowDownToLine size={15} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Copy">
          <ActionIcon aria-label="Copy log" onClick={() => void copy()}>
            <Copy size={15} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Download">
          <ActionIcon aria-label="Download log" onClick={download}>
            <Download size={15} />
          </ActionIcon>
        </Tooltip>
      </div>
      <div className={s.logBody}>
        {rows.length ? (
          <LogViewer rows={rows} follow={follow} onFollow={setFollow} match={needle} label={label} />
        ) : (
          <div className="t3" style={{ padding: 16 }}>
            {empty}
          </div>
        )}
      </div>
    </div>
  )
}
