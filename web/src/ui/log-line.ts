/** Structured log lines: services write one JSON object a line, people want a level, a sentence, and the rest behind it. */
export type Structured = { level: string; message: string; fields: string; at?: number }

const LEVELS = ['level', 'severity', 'levelname', 'lvl']
const MESSAGES = ['message', 'msg', 'event']
const TIMES = ['time', 'timestamp', 'ts', 'asctime']
const MOST = 20_000

const pick = (from: Record<string, unknown>, names: string[]) => names.find((n) => typeof from[n] === 'string')
const show = (v: unknown) => (typeof v === 'string' ? (/[\s="]/.test(v) || !v ? JSON.stringify(v) : v) : JSON.stringify(v))

export function readStructured(text: string): Structured | undefined {
  if (text[0] !== '{' || text.length > MOST) return undefined
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof found !== 'object' || found === null) return undefined
  const line = found as Record<string, unknown>
  const message = pick(line, MESSAGES)
  if (!message) return undefined
  const [level, time] = [pick(line, LEVELS), pick(line, TIMES)]
  const at = time ? Date.parse(String(line[time])) : NaN
  const rest = Object.entries(line).filter(([k]) => ![message, level, time].includes(k))
  return {
    level: level ? String(line[level]).toLowerCase() : '',
    message: String(line[message]),
    fields: rest.map(([k, v]) => `${k}=${show(v)}`).join(' '),
    at: Number.isNaN(at) ? undefined : at * 1000,
  }
}

/** Colour of a level; unknown ones are plain. */
export const toneOfLevel = (level: string): 'error' | 'warn' | undefined =>
  /^(err|error|fatal|critical|panic)$/.test(level) ? 'error' : /^warn(ing)?$/.test(level) ? 'warn' : undefined
