/** Backstage's own form fields over this catalog: owner, entity and repository pickers, names, tags, secrets. */
import { Autocomplete, MultiSelect, PasswordInput, Select, TagsInput, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import type { FieldProps, RegistryFieldsType } from '@rjsf/utils'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { entitiesQuery, meQuery } from '~/api/queries'
import { entityRef, shortRef } from '~/api/refs'
import { Avatar } from '~/ui/Avatar'
import { KindIcon } from '~/ui/KindIcon'
import { common, type FormContext, help, optionsOf } from './field-parts'
import { filtersOf } from './field-values'
import { RepoUrlPicker } from './RepoUrlPicker'
import s from './scaffolder.module.css'

type Choice = { value: string; label: string; title?: string }
function useChoices(filters: string[], typed: string, keep: string[]) {
  const [text] = useDebouncedValue(typed, 150)
  const query = useQuery(entitiesQuery({ filter: filters, text: text || undefined, limit: 50, order: 'metadata.name,asc' }))
  const found = (query.data?.items ?? []).map((e): Choice => ({
    value: entityRef(e),
    label: shortRef(entityRef(e)),
    title: e.metadata.title,
  }))
  const missing = keep
    .filter((k) => k && !found.some((f) => f.value === k))
    .map((k): Choice => ({ value: k, label: shortRef(k) }))
  return { choices: [...missing, ...found], query }
}
const nothing = (error: unknown, pending: boolean) =>
  error ? 'The catalog could not be read. Try again.' : pending ? 'Searching…' : 'Nothing in the catalog matches'

function Picker({ field: p, fallbackKinds }: { field: FieldProps<string>; fallbackKinds?: string[] }) {
  const options = optionsOf(p)
  const [typed, setTyped] = useState('')
  const value = p.formData ?? null
  const looking = value && typed === shortRef(value) ? '' : typed
  const { choices, query } = useChoices(filtersOf(options, fallbackKinds), looking, value ? [value] : [])
  const set = (v: string | null) => p.onChange(v || undefined, p.fieldPathId.path)
  const icon = value && (value.startsWith('group:') ? <Avatar name={shortRef(value)} square size={18} /> : <KindIcon kind={value.split(':')[0] ?? ''} size={18} />)
  if (options.allowArbitraryValues)
    return <><Autocomplete {...common(p)} size="sm" data={choices.map((c) => c.value)} value={value ?? ''} onChange={set} />{help(p)}</>
  return (
    <>
      <Select
        {...common(p)}
        placeholder="Choose"
        data={choices}
        value={value}
        onChange={set}
        searchable
        searchValue={typed}
        onSearchChange={setTyped}
        filter={({ options: all }) => all}
        clearable={!p.required}
        leftSection={icon}
        nothingFoundMessage={nothing(query.error, query.isPending)}
        renderOption={({ option }) => {
          const title = choices.find((c) => c.value === option.value)?.title
          return (
            <span className={s.opt}>
              {option.value.startsWith('group:') ? <Avatar name={option.label} square size={20} /> : <KindIcon kind={option.value.split(':')[0] ?? ''} size={20} />}
              <span style={{ fontWeight: 500 }}>{option.label}</span>
              {title && title !== option.label && <span className="t3">{title}</span>}
            </span>
          )
        }}
      />
      {help(p)}
    </>
  )
} // prettier-ignore

const EntityPicker = (p: FieldProps<string>) => <Picker field={p} />
const OwnerPicker = (p: FieldProps<string>) => <Picker field={p} fallbackKinds={['Group', 'User']} />
/** Only what the person owns, through their groups. */
function OwnedEntityPicker(p: FieldProps<string>) {
  const { data: me } = useQuery(meQuery())
  const owners = me ? [me.ref, ...me.groups] : []
  const ui = { ...p.uiSchema, 'ui:options': { ...optionsOf(p), owners } }
  return <Picker field={{ ...p, uiSchema: ui }} />
}
function MyGroupsPicker(p: FieldProps<string>) {
  const { data: me } = useQuery(meQuery())
  return <><Select {...common(p)} data={(me?.groups ?? []).map((g) => ({ value: g, label: shortRef(g) }))} value={p.formData ?? null} onChange={(v) => p.onChange(v ?? undefined, p.fieldPathId.path)} nothingFoundMessage="You are in no group" />{help(p)}</>
} // prettier-ignore
function MultiEntityPicker(p: FieldProps<string[]>) {
  const [typed, setTyped] = useState('')
  const value = p.formData ?? []
  const { choices, query } = useChoices(filtersOf(optionsOf(p)), typed, value)
  return <><MultiSelect {...common(p)} size="sm" data={choices} value={value} onChange={(v) => p.onChange(v, p.fieldPathId.path)} searchable searchValue={typed} onSearchChange={setTyped} nothingFoundMessage={nothing(query.error, query.isPending)} />{help(p)}</>
} // prettier-ignore
const EntityNamePicker = (p: FieldProps<string>) => (
  <><TextInput {...common(p)} autoComplete="off" value={p.formData ?? ''} onChange={(e) => p.onChange(e.currentTarget.value || undefined, p.fieldPathId.path)} />{help(p)}</>
) // prettier-ignore
const EntityTagsPicker = (p: FieldProps<string[]>) => (
  <><TagsInput {...common(p)} size="sm" value={p.formData ?? []} onChange={(v) => p.onChange(v, p.fieldPathId.path)} />{help(p)}</>
) // prettier-ignore

/** The value goes into the task's secrets, never into its values; the form keeps a mark that it was given. */
function Secret(p: FieldProps<string>) {
  const context = p.registry.formContext as FormContext
  const change = (v: string) => {
    context.setSecret(p.name, v)
    p.onChange(v ? '********' : undefined, p.fieldPathId.path)
  }
  return <><PasswordInput {...common(p)} size="sm" autoComplete="new-password" value={context.secrets[p.name] ?? ''} onChange={(e) => change(e.currentTarget.value)} />{help(p)}</>
} // prettier-ignore

export const fields = {
  OwnerPicker,
  EntityPicker,
  OwnedEntityPicker,
  MyGroupsPicker,
  MultiEntityPicker,
  EntityNamePicker,
  EntityTagsPicker,
  RepoUrlPicker,
  Secret,
} as unknown as RegistryFieldsType
