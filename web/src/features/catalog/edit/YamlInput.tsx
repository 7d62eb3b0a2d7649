import { Textarea } from '@mantine/core'
import { type RefObject } from 'react'
import s from './edit.module.css'

type Props = { value: string; onChange: (v: string) => void; box: RefObject<HTMLTextAreaElement | null> }

/** A document's own text. What is wrong with it is said beside, by line. */
export function YamlInput({ value, onChange, box }: Props) {
  return (
    <Textarea
      ref={box}
      label="The document as YAML"
      description="Comments and layout are kept as you write them."
      rows={Math.min(34, Math.max(16, value.split('\n').length + 1))}
      resize="vertical"
      spellCheck={false}
      autoCapitalize="off"
      autoCorrect="off"
      classNames={{ input: s.text }}
      value={value}
      onChange={(e) => onChange(e.currentTarget.value)}
    />
  )
}

/** Puts the cursor on a line. */
export function goToLine(box: RefObject<HTMLTextAreaElement | null>, line: number) {
  const area = box.current
  if (!area) return
  const lines = area.value.split('\n')
  const start = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0)
  area.focus()
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0))
}
