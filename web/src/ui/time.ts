/** Words for times and amounts. Times are integer microseconds, UTC. */
let now = () => Date.now()
/** Tests give their own clock. */
export const setClock = (f: () => number) => {
  now = f
}
export const nowMs = () => now()

type When = number | string | null | undefined
const ms = (at: When): number | undefined =>
  at === null || at === undefined ? undefined : typeof at === 'number' ? at / 1000 : Date.parse(at)

export function ago(at: When): string {
  const t = ms(at)
  if (t === undefined || Number.isNaN(t)) return 'never'
  const s = Math.max(0, (now() - t) / 1000)
  if (s < 45) return 'just now'
  if (s < 3600) return `${Math.max(1, Math.round(s / 60))}m ago`
  if (s < 86_400) return `${Math.round(s / 3600)}h ago`
  if (s < 30 * 86_400) return `${Math.round(s / 86_400)}d ago`
  return `${Math.round(s / (30 * 86_400))}mo ago`
}

export function until(at: When): string {
  const t = ms(at)
  if (t === undefined) return 'does not expire'
  const s = (t - now()) / 1000
  if (s <= 0) return 'expired'
  return s < 3600 ? `in ${Math.ceil(s / 60)}m` : s < 86_400 ? `in ${Math.round(s / 3600)}h` : `in ${Math.round(s / 86_400)}d`
}

export function exact(at: When): string {
  const t = ms(at)
  return t === undefined || Number.isNaN(t) ? '' : new Date(t).toISOString().replace('T', ' ').replace('Z', ' UTC')
}

/** Clock time of a log line, in the reader's zone. */
export function clockTime(at: When): string {
  const t = ms(at)
  if (t === undefined || Number.isNaN(t)) return ''
  const d = new Date(t)
  return [d.getHours(), d.getMinutes(), d.getSeconds()].map((v) => String(v).padStart(2, '0')).join(':')
}

export const seconds = (n: number | null | undefined): string =>
  n === null || n === undefined
    ? ''
    : n < 10
      ? `${n.toFixed(1)}s`
      : n < 60
        ? `${Math.round(n)}s`
        : n < 3600
          ? `${Math.floor(n / 60)}m ${Math.round(n % 60)}s`
          : `${Math.floor(n / 3600)}h ${Math.round((n % 3600) / 60)}m`

/** Seconds between two times; with no end, until now. */
export const between = (from: When, to: When): number | undefined => {
  const a = ms(from)
  return a === undefined ? undefined : Math.max(0, ((ms(to) ?? now()) - a) / 1000)
}

export const bytes = (n: number | null | undefined): string =>
  n === null || n === undefined
    ? ''
    : n < 1024
      ? `${n} B`
      : n < 1_048_576
        ? `${(n / 1024).toFixed(n < 10_240 ? 1 : 0)} kB`
        : `${(n / 1_048_576).toFixed(1)} MB`

export const count = (n: number): string => n.toLocaleString('en')
export const amount = (n: number, word: string, words = `${word}s`): string => `${count(n)} ${n === 1 ? word : words}`
