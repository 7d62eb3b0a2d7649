/** Values of Backstage's form fields. */
type Filter = Record<string, string | string[] | { exists?: boolean }>
export type PickerOptions = {
  catalogFilter?: Filter | Filter[]
  allowedKinds?: string[]
  allowArbitraryValues?: boolean
  defaultKind?: string
  allowedHosts?: string[]
  allowedOwners?: string[]
  allowedOrganizations?: string[]
  allowedProjects?: string[]
  allowedRepos?: string[]
  requestUserCredentials?: { secretsKey?: string }
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

/** `host?owner=…&repo=…`, as Backstage writes it. Which parts there are is the forge's: Azure and Bitbucket have others. */
export type RepoPart = 'organization' | 'workspace' | 'project' | 'owner' | 'repo'
export type RepoUrl = { host: string } & Partial<Record<RepoPart, string>>
const PARTS: RepoPart[] = ['organization', 'workspace', 'owner', 'project', 'repo']
export const parseRepoUrl = (v = ''): RepoUrl => {
  const [host = '', q] = v.split('?')
  const u = new URLSearchParams(q)
  return { host, ...Object.fromEntries(PARTS.filter((x) => u.has(x)).map((x) => [x, u.get(x) ?? ''])) }
}
export const formatRepoUrl = ({ host, ...parts }: RepoUrl) =>
  `${host}?${new URLSearchParams(PARTS.filter((x) => parts[x] !== undefined).map((x) => [x, parts[x] ?? '']))}`
/** What a form asks for: what the server says of its hosts, else what the public forges want. */
export const repoPartsOf = (host: string, options: PickerOptions, known: { host: string; parts: string[] }[] = []): RepoPart[] => {
  const said = known.find((one) => one.host === host)?.parts
  if (said) return PARTS.filter((x) => said.includes(x))
  if (host === 'dev.azure.com' || host.endsWith('.visualstudio.com') || options.allowedOrganizations) return ['organization', 'project', 'repo']
  if (host === 'bitbucket.org') return ['workspace', 'project', 'repo']
  return options.allowedProjects ? ['project', 'repo'] : ['owner', 'repo']
} // prettier-ignore
