import { useDebouncedCallback } from '@mantine/hooks'
import { useState } from 'react'

type Typed = {
  /** What the address has now. */
  kept: string | undefined
  keep: (text: string | undefined) => void
  /** What of a text the address keeps. */
  of?: (text: string) => string | undefined
  pause?: number
}
const whole = (text: string) => text || undefined

/** The text of a field that the address keeps as well: it goes there after a pause, and what the address comes to by
 * itself (Back, a link) comes into the field. Gives the text, what to call when somebody types, and what sets it alone. */
export function useTyped({ kept, keep, of = whole, pause = 200 }: Typed) {
  const [typed, setTyped] = useState(kept ?? '')
  const [known, setKnown] = useState({ kept, sent: kept })
  if (kept !== known.kept) {
    setKnown({ kept, sent: kept })
    if (kept !== known.sent) setTyped(kept ?? '')
  }
  const write = useDebouncedCallback((text: string) => {
    const sent = of(text)
    setKnown((o) => ({ ...o, sent }))
    keep(sent)
  }, pause)
  const type = (text: string) => {
    setTyped(text)
    write(text)
  }
  return [typed, type, setTyped] as const
}
