/** Server-sent events with the browser's own reconnect (which sends Last-Event-ID), and one callback per event name. */
export type StreamHandlers = Record<string, (data: unknown, id: string) => void>

/** Returns the function that closes the stream. `onBroken` is called when the browser has given up. */
export function openStream(path: string, handlers: StreamHandlers, onBroken?: () => void): () => void {
  if (typeof EventSource === 'undefined') return () => undefined
  const source = new EventSource(path, { withCredentials: true })
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (event: MessageEvent<string>) => {
      let data: unknown = event.data
      try {
        data = JSON.parse(event.data)
      } catch {
        // a plain text line is passed on as it is
      }
      handle(data, event.lastEventId)
    })
  }
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) onBroken?.()
  }
  return () => source.close()
}
