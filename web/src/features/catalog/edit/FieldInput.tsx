import {
  Autocomplete,
  Input,
  MultiSelect,
  NumberInput,
  SegmentedControl,
  Select,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core'
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
  const shared = {
    label: field.title,
    description: field.description ?? (field.shape === 'datetime' ? 'Such as 2026-01-31T09:00:00Z' : undefined),
    required: field.required,
    withAsterisk: field.required,
  }
  if (Array.isArray(value) && field.shape === 'enums')
    return (
      <MultiSelect {...shared} required={false} data={known(field.options, value)} value={value} onChange={onChange} searchable nothingFoundMessage="Nothing of this name" />
    ) // prettier-ignore
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
  if (field.shape === 'enum')
    return (
      <Select
        {...shared}
        data={known(field.options, value ? [value] : [])}
        value={value || null}
        onChange={(v) => onChange(v ?? '')}
        clearable={!field.required}
        allowDeselect={!field.required}
      />
    )
  if (field.shape === 'boolean') return <YesNo field={field} value={value} onChange={onChange} />
  if (field.shape === 'integer' || field.shape === 'number')
    return (
      <NumberInput
        {...shared}
        value={value}
        onChange={(v) => onChange(String(v))}
        allowDecimal={field.shape === 'number'}
        min={field.minimum ?? undefined}
        max={field.maximum ?? undefined}
        clampBehavior="none"
        error={outside(field, value)}
      />
    )
  if (field.shape === 'date')
    return <TextInput {...shared} type="date" value={value} onChange={(e) => onChange(e.currentTarget.value)} />
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

/** What a file holds stays to be seen, also when the kind does not know it any more. */
const known = (options: string[], values: string[]) => [...new Set([...options, ...values])]

function outside({ minimum, maximum }: EditField, value: string): string | undefined {
  const number = Number(value)
  if (value === '' || !Number.isFinite(number)) return undefined
  if (minimum !== null && number < minimum) return `At least ${minimum}`
  return maximum !== null && number > maximum ? `At most ${maximum}` : undefined
}

/** Not said is neither yes nor no. */
function YesNo({ field, value, onChange }: { field: EditField; value: string; onChange: (v: string) => void }) {
  const choices = [
    { value: 'true', label: 'Yes' },
    { value: 'false', label: 'No' },
  ]
  return (
    <Input.Wrapper
      label={field.title}
      description={field.description}
      withAsterisk={field.required}
      labelElement="div"
      styles={{ label: { display: 'block' } }}
    >
      <SegmentedControl
        aria-label={field.title}
        style={{ justifySelf: 'start', width: 'fit-content' }}
        value={value}
        onChange={onChange}
        data={field.required && value ? choices : [...choices, { value: '', label: 'Not said' }]}
      />
    </Input.Wrapper>
  )
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
