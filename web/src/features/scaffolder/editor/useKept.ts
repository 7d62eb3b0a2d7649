import { useState } from 'react'

/** The last value that was there, while there is none. */
export function useKept<T>(value: T | null | undefined): T | undefined {
  const [kept, setKept] = useState(value ?? undefined)
  if (value && value !== kept) setKept(value)
  return value ?? kept
}
