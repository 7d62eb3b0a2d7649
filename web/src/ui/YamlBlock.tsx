import { Button, CopyButton } from '@mantine/core'
import { Check, Copy } from 'lucide-react'
import { type KeyboardEvent, memo, type ReactNode, useRef } from 'react'
import s from './ui.module.css'

const LINE = /^(\s*(?:- )*)("(?:[^"\\]|\\.)*"|[^\s:"][^:]*?)(:)( .*)?$/
const colourOf = (value: string) =>
  /^"/.test(value) ? 'var(--s-str)' : /^(true|false|null|-?\d+(\.\d+)?)$/.test(value) ? 'var(--s-num)' : undefined
const STEPS: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, Home: -Infinity, End: Infinity }

type Props = {
  lines: string[]
  label: string
  /** What stands at the end of a line. */
  mark?: (line: number) => ReactNode
  /** The line that something is told of: the pointer and the arrow keys choose it. */
  active?: number
  onActive?: (line: number) => void
  describedBy?: string
}

/** YAML as this portal prints it, with its keys coloured and a button to copy it. */
export function YamlBlock({ lines, label, mark, active, onActive, describedBy }: Props) {
  const box = useRef<HTMLPreElement>(null)
  const onKeyDown = (e: KeyboardEvent) => {
    const by = STEPS[e.key]
    if (by === undefined || !onActive || e.metaKey || e.ctrlKey || e.altKey) return
    e.preventDefault()
    const next = Math.max(0, Math.min(lines.length - 1, (active ?? -1) + by))
    onActive(next)
    box.current?.querySelectorAll('[data-line]')[next]?.scrollIntoView({ block: 'nearest' })
  }
  return (
    <div style={{ position: 'relative' }}>
      <CopyButton value={lines.join('\n')}>
        {({ copied, copy }) => (
          <Button
            size="xs"
            variant="default"
            style={{ position: 'absolute', top: 8, right: 8, zIndex: 1 }}
            leftSection={copied ? <Check size={13} /> : <Copy size={13} />}
            onClick={copy}
          >
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
      <pre ref={box} className={s.code} tabIndex={0} aria-label={label} aria-describedby={describedBy} onKeyDown={onKeyDown}>
        <code className={onActive && s.lines}>
          {lines.map((line, i) => (
            <span key={i} data-line data-active={i === active || undefined} onMouseEnter={onActive && (() => onActive(i))}>
              <Coloured line={line} />
              {mark?.(i)}
              {'\n'}
            </span>
          ))}
        </code>
      </pre>
    </div>
  )
}

/** Long documents have thousands of lines, of which one changes as the pointer moves. */
const Coloured = memo(function Coloured({ line }: { line: string }) {
  const found = LINE.exec(line)
  if (!found) return line
  const value = (found[4] ?? '').trim()
  return (
    <>
      {found[1]}
      <span style={{ color: 'var(--s-fn)' }}>{found[2]}</span>
      {found[3]}
      <span style={{ color: colourOf(value) }}>{found[4]}</span>
    </>
  )
})
