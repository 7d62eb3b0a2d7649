/** What every form field has: its label, its help, the options of its `ui:options`. */
import type { FieldProps } from '@rjsf/utils'
import type { PickerOptions } from './field-values'
import s from './scaffolder.module.css'

export type FormContext = {
  values: Record<string, unknown>
  secrets: Record<string, string>
  setSecret: (name: string, value: string) => void
}
export const optionsOf = (p: FieldProps) => (p.uiSchema?.['ui:options'] ?? {}) as PickerOptions
export const common = (p: FieldProps) => ({
  id: p.fieldPathId.$id,
  label: p.schema.title ?? p.name,
  description: p.schema.description,
  required: p.required,
  error: p.rawErrors?.[0],
  disabled: p.disabled || p.readonly,
})
export const help = (p: FieldProps) => {
  const text = (p.uiSchema?.['ui:help'] ?? undefined) as string | undefined
  return text ? <div className={s.help}>{text}</div> : null
}
