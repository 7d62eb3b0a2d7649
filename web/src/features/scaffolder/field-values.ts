/** Values of Backstage's form fields. */
type Filter = Record<string, string | string[] | { exists?: boolean }>
export type PickerOptions = {
  catalogFilter?: Filter | Filter[]
  allowedKinds?: string[]
  allowArbitraryValues?: boolean
  defaultKind?: string
  allowedHosts?: string[]
  allowedOwners?: string[]
  owners?: string[]
}

/** `catalogFilter` as filters of the catalog API: a list is "or", keys of one filter are "and", values of one key "or". */
export function filtersOf(options: PickerOptions, fallbackKinds: string[] = []): string[] {
  const kinds = options.allowedKinds ?? (options.catalogFilter ? [] : fallbackKinds)
  const given = options.catalogFilter ? (Array.isArray(options.catalogFilter) ? options.catalogFilter : [options.catalogFilter]) : [{}]
  return given
    .map((f) =>
      [
        ...kinds.map((k) => `kind=${k.toLowerCase()}`),
        ...Object.entries(f).flatMap(([key, v]) => (typeof v === 'object' && !Array.isArray(v) ? [key] : [v].flat().map((x) => `${key}=${key === 'kind' ? String(x).toLowerCase() : x}`))),
        ...(options.owners ?? []).map((o) => `relations.ownedBy=${o}`),
      ].join(','),
    )
    .filter(Boolean)
} // prettier-ignore

/** `host?owner=…&repo=…`, as Backstage writes it. */
export const parseRepoUrl = (v = '') => {
  const [host = '', q] = v.split('?')
  const u = new URLSearchParams(q)
  return { host, owner: u.get('owner') ?? '', repo: u.get('repo') ?? '' }
}
export const formatRepoUrl = (r: { host: string; owner: string; repo: string }) =>
  `${r.host}?${new URLSearchParams({ owner: r.owner, repo: r.repo })}`
