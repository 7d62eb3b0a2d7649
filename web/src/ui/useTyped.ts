import { useDebouncedCallback } from '@mantine/hooks'
import { useEffect, useState } from 'react'

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
 * itself (Back, a link) comes into the field, in place of what was to go there. Gives the text, what to call when
 * somebody types, and what sets it alone. */
export function useTyped({ kept, keep, of = whole, pause = 200 }: Typed) {
  const [typed, setTyped] = useState(kept ?? '')
  const [known, setKnown] = useState({ kept, sent: kept, led: 0 })
  if (kept !== known.kept) {
    const isOurs = kept === known.sent
    setKnown({ kept, sent: kept, led: known.led + (isOurs ? 0 : 1) })
    if (!isOurs) setTyped(kept ?? '')
  }
  const write = useDebouncedCallback((text: string) => {
    const sent = of(text)
    setKnown((o) => ({ ...o, sent }))
    keep(sent)
  }, pause)
  useEffect(() => write.cancel(), [known.led, write])
  const type = (text: string) => {
    setTyped(text)
    write(text)
  }
  const put = (text: string) => {
    write.cancel()
    setTyped(text)
  }
  return [typed, type, put] as const
}
