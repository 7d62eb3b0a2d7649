/** Reads the answers of plugin operations leniently: `{items: […]}` or a bare list, `{key: value}` or `[{label, value}]`. */
export type Cell = string | number | boolean | null
export type Obj = Record<string, unknown>

export const isObj = (v: unknown): v is Obj => typeof v === 'object' && v !== null && !Array.isArray(v)
export const listOf = (data: unknown, ...names: string[]): Obj[] => {
  const found = Array.isArray(data) ? data : isObj(data) ? ['items', ...names].map((n) => data[n]).find(Array.isArray) : undefined
  return (found ?? []).map((x) => (isObj(x) ? x : { value: x }))
}
export const textOf = (v: unknown): string =>
  v === null || v === undefined ? '' : typeof v === 'object' ? JSON.stringify(v) : String(v)

/** The declared columns, else every key that the rows have, in order of appearance. */
export const columnsOf = (rows: Obj[], declared?: readonly string[]): string[] =>
  declared?.length ? [...declared] : [...new Set(rows.flatMap((r) => Object.keys(r)))]

export function factsOf(data: unknown): [string, unknown][] {
  const rows = listOf(data, 'facts')
  if (rows.length) return rows.map((r) => [textOf(r.label ?? r.name ?? r.title ?? r.key), r.value ?? r.text])
  return isObj(data) ? Object.entries(isObj(data.facts) ? data.facts : data).filter(([k]) => k !== 'items') : []
}

export type Series = { name: string; unit: string; points: [number, number | null][] }
export function seriesOf(data: unknown): Series[] {
  return listOf(data, 'series').map((s) => ({
    name: textOf(s.name ?? s.title),
    unit: textOf(s.unit),
    points: (Array.isArray(s.points) ? s.points : [])
      .filter(Array.isArray)
      .map((p: unknown[]) => [Number(p[0]), p[1] === null ? null : Number(p[1])]),
  }))
}

export type LinkItem = { title: string; url: string }
/** Only http(s) addresses and paths of this portal: a plugin's answer is data, not a place for scripts. */
export const linksOf = (data: unknown): LinkItem[] =>
  listOf(data, 'links')
    .map((l) => ({ title: textOf(l.title ?? l.url), url: textOf(l.url ?? l.href) }))
    .filter((l) => /^(https?:\/\/|\/(?!\/))/.test(l.url))

export const markdownOf = (data: unknown): string =>
  typeof data === 'string' ? data : isObj(data) ? textOf(data.markdown ?? data.text ?? data.content) : ''
