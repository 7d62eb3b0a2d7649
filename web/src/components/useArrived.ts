import { useEffect, useState } from 'react'

/** A part of a page whose code is on its way; undefined until it is there. In place of Suspense where what it shows has
 * little time: React lets what was waited for appear 300 ms after the fallback at the earliest. */
export function useArrived<T extends object>(coming: Promise<T>): T | undefined {
  const [arrived, setArrived] = useState<T>()
  useEffect(() => {
    const fail = (error: unknown) =>
      setArrived(() => {
        throw error // to the page's error boundary, as a failed import elsewhere
      })
    coming.then((part) => setArrived(() => part), fail)
  }, [coming])
  return arrived
}
