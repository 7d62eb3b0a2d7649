import { Autocomplete, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { entitiesQuery } from '~/api/queries'
import { entityRef, shortRef } from '~/api/refs'
import type { EditField } from '~/api/types'
import type { Shown } from './values'

type Props = { field: EditField; value: Shown; onChange: (v: Shown) => void }

/** One field of a kind's form. References are suggested from the catalog; what is not in it can be typed. */
export function FieldInput({ field, value, onChange }: Props) {
  const [typed, setTyped] = useState('')
  const names = useNames(field, typed)
  const shared = { label: field.title, required: field.required, withAsterisk: field.required }
  if (Array.isArray(value))
    return (
      <TagsInput
        {...shared}
        data={names}
        value={value}
        onChange={onChange}
        searchValue={typed}
        onSearchChange={setTyped}
        required={false}
        placeholder={value.length ? undefined : field.shape === 'pairs' ? 'name=value, then Enter' : 'Type, then Enter'}
        acceptValueOnBlur
        clearable={false}
      />
    )
  if (field.shape === 'choice' || field.shape === 'reference')
    return (
      <Autocomplete
        {...shared}
        data={field.shape === 'choice' ? field.options : names}
        value={value}
        onChange={(v) => {
          setTyped(v)
          onChange(v)
        }}
      />
    )
  if (field.pointer === '/metadata/description')
    return <Textarea {...shared} rows={2} resize="vertical" value={value} onChange={(e) => onChange(e.currentTarget.value)} />
  return <TextInput {...shared} value={value} onChange={(e) => onChange(e.currentTarget.value)} />
}

/** Entities that a reference may mean, as they are written here: short, with a kind where a bare name would mean another. */
function useNames(field: EditField, typed: string): string[] {
  const [text] = useDebouncedValue(typed.split('/').at(-1)?.split(':').at(-1) ?? '', 250)
  const { data } = useQuery({
    ...entitiesQuery({
      filter: field.default_kind ? [`kind=${field.default_kind}`] : ['kind=component', 'kind=resource'],
      text: text || undefined,
      limit: 20,
      fields: 'kind,metadata.name,metadata.namespace',
    }),
    enabled: field.shape === 'reference' || field.shape === 'references',
  })
  return (data?.items ?? []).map((e) => (field.default_kind ? shortRef(entityRef(e)) : entityRef(e)))
}
