import { useEffect, useRef } from 'react'

const WAIT_MS = 900
const typing = (t: EventTarget | null) =>
  t instanceof HTMLElement && (t.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(t.tagName))

/** Two-key sequences that start with `g`: `g c` goes to the catalog. Never while somebody types. */
export function useSequences(map: Record<string, string>, go: (to: string) => void) {
  const since = useRef(0)
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.metaKey || e.ctrlKey || e.altKey || typing(e.target)) return
      const to = map[e.key]
      if (to && Date.now() - since.current < WAIT_MS) {
        e.preventDefault()
        e.stopImmediatePropagation()
        go(to)
      }
      since.current = e.key === 'g' ? Date.now() : 0
    }
    document.addEventListener('keydown', onKey, true)
    return () => document.removeEventListener('keydown', onKey, true)
  })
}
