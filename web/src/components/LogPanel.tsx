import { ActionIcon, TextInput, Tooltip } from '@mantine/core'
import { ArrowDownToLine, Copy, Download, Search } from 'lucide-react'
import { type ReactNode, useMemo, useState } from 'react'
import { LogViewer, type LogRow } from '~/ui/LogViewer'
import { clockTime, count } from '~/ui/time'
import { notifyDone, notifyError } from './notify'
import s from './shared.module.css'

export type LogText = { seq: number; at?: number | null; stream?: string; text: string }
type Props = { title: ReactNode; lines: LogText[]; name: string; label: string; empty?: string; extra?: ReactNode }

/** A log with search, follow, copy and download. The caller owns where the lines come from. */
export function LogPanel({ title, lines, name, label, empty = 'No output yet', extra }: Props) {
  const [follow, setFollow] = useState(true)
  const [find, setFind] = useState('')
  const rows = useMemo(
    () =>
      lines.map((l): LogRow => ({
        key: l.seq,
        text: l.text.replace(/\r?\n$/, ''),
        stamp: clockTime(l.at),
        tone: l.stream === 'stderr' ? 'error' : undefined,
      })),
    [lines],
  )
  const needle = find.toLowerCase()
  const hits = useMemo(() => (needle ? rows.filter((r) => r.text.toLowerCase().includes(needle)).length : 0), [rows, needle])
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
