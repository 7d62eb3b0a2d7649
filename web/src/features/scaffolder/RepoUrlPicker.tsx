/** Backstage's `RepoUrlPicker`: where a repository is to be made, and on whose behalf. */
import { Input, PasswordInput, Select, TextInput } from '@mantine/core'
import type { FieldProps } from '@rjsf/utils'
import { useQuery } from '@tanstack/react-query'
import { forgesQuery } from '~/api/queries'
import { common, type FormContext, help, optionsOf } from './field-parts'
import { formatRepoUrl, parseRepoUrl, type RepoPart, repoPartsOf } from './field-values'
import s from './scaffolder.module.css'

const LABELS: Record<RepoPart, string> = { organization: 'Organisation', workspace: 'Workspace', project: 'Project', owner: 'Owner', repo: 'Repository' } // prettier-ignore

export function RepoUrlPicker(p: FieldProps<string>) {
  const options = optionsOf(p)
  const context = p.registry.formContext as FormContext
  const allowed = { organization: options.allowedOrganizations ?? options.allowedOwners, workspace: options.allowedOwners, project: options.allowedProjects, owner: options.allowedOwners, repo: options.allowedRepos } // prettier-ignore
  const given = parseRepoUrl(p.formData)
  const suggested = typeof context.values.name === 'string' ? context.values.name : ''
  const host = p.formData ? given.host : (options.allowedHosts?.[0] ?? 'github.com')
  const known = useQuery(forgesQuery()).data?.items ?? []
  const parts = repoPartsOf(host, options, known)
  const value = (x: RepoPart) => given[x] ?? allowed[x]?.[0] ?? (x === 'repo' ? suggested : '')
  const set = (part: RepoPart | 'host', v: string) => {
    const to = part === 'host' ? v : host
    const now = Object.fromEntries(repoPartsOf(to, options, known).map((x) => [x, x === part ? v : value(x)]))
    p.onChange(formatRepoUrl({ host: to, ...now }), p.fieldPathId.path)
  }
  const key = options.requestUserCredentials?.secretsKey
  const { description, ...wrapper } = common(p)
  return (
    <Input.Wrapper {...wrapper} description={description}>
      <div className={s.repo}>
        {!options.allowedHosts?.length && <TextInput aria-label="Host" value={host} onChange={(e) => set('host', e.currentTarget.value)} />}
        {(options.allowedHosts?.length ?? 0) > 1 && <Select aria-label="Host" data={options.allowedHosts} value={host} onChange={(x) => x && set('host', x)} />}
        {parts.map((x) => <Part key={x} label={LABELS[x]} allowed={allowed[x]} value={value(x)} set={(v) => set(x, v)} />)}
      </div>
      {key && (
        <PasswordInput mt={8} size="sm" autoComplete="new-password" label={`Your token on ${host}`} description="Without it the platform's own credential is used." value={context.secrets[key] ?? ''} onChange={(e) => context.setSecret(key, e.currentTarget.value)} />
      )}
      {help(p)}
    </Input.Wrapper>
  )
} // prettier-ignore

function Part({ label, allowed, value, set }: { label: string; allowed?: string[]; value: string; set: (v: string) => void }) {
  if (allowed?.length)
    return <Select aria-label={label} data={allowed} value={value} onChange={(x) => x && set(x)} onBlur={() => set(value)} />
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      value={value}
      onChange={(e) => set(e.currentTarget.value)}
      onBlur={() => set(value)}
    />
  )
}
