/** Our theme of rjsf on Mantine's inputs: labels above, explanation below the label, errors that say what to do. */
import {
  ActionIcon,
  Button,
  Checkbox,
  NumberInput,
  PasswordInput,
  Radio,
  Select,
  MultiSelect,
  Textarea,
  TextInput,
} from '@mantine/core'
import type { ThemeProps } from '@rjsf/core/lib/withTheme.js'
import type {
  ArrayFieldItemTemplateProps,
  ArrayFieldTemplateProps,
  FieldTemplateProps,
  ObjectFieldTemplateProps,
  WidgetProps,
} from '@rjsf/utils'
import { Plus, X } from 'lucide-react'
import s from './scaffolder.module.css'

type Options = { value: string; label: string }[]
const optionsOf = (p: WidgetProps): Options =>
  (p.options.enumOptions ?? []).map((o) => ({ value: String(o.value), label: o.label }))
/** Choices travel as text through inputs; the schema's own value goes back. */
const original = (p: WidgetProps, text: string | null) =>
  text === null ? undefined : p.options.enumOptions?.find((o) => String(o.value) === text)?.value

const common = (p: WidgetProps) => ({
  id: p.id,
  label: p.label,
  description: p.schema.description,
  required: p.required,
  disabled: p.disabled || p.readonly,
  error: p.rawErrors?.[0],
  placeholder: p.placeholder || undefined,
  onBlur: () => p.onBlur(p.id, p.value),
  'data-autofocus': p.autofocus || undefined,
})
const toValue = (p: WidgetProps, text: string) => (text === '' ? p.options.emptyValue : text)

function TextWidget(p: WidgetProps) {
  const type = p.schema.type
  if (type === 'number' || type === 'integer')
    return <NumberInput {...common(p)} size="sm" allowDecimal={type === 'number'} value={p.value ?? ''} onChange={(v) => p.onChange(v === '' ? undefined : v)} />
  return <TextInput {...common(p)} inputWrapperOrder={['label', 'description', 'input', 'error']} autoComplete="off" value={p.value ?? ''} onChange={(e) => p.onChange(toValue(p, e.currentTarget.value))} />
} // prettier-ignore
const TextareaWidget = (p: WidgetProps) => (
  <Textarea {...common(p)} autosize minRows={Number(p.options.rows) || 3} maxRows={14} value={p.value ?? ''} onChange={(e) => p.onChange(toValue(p, e.currentTarget.value))} />
) // prettier-ignore
const PasswordWidget = (p: WidgetProps) => (
  <PasswordInput {...common(p)} size="sm" autoComplete="new-password" value={p.value ?? ''} onChange={(e) => p.onChange(toValue(p, e.currentTarget.value))} />
) // prettier-ignore

function SelectWidget(p: WidgetProps) {
  const data = optionsOf(p)
  if (p.multiple)
    return <MultiSelect {...common(p)} size="sm" data={data} value={(p.value ?? []).map(String)} onChange={(v) => p.onChange(v.map((x) => original(p, x)))} searchable />
  if (data.length <= 4 && data.length > 0 && !p.options.select) return <RadioWidget {...p} />
  return <Select {...common(p)} data={data} value={p.value === undefined ? null : String(p.value)} onChange={(v) => p.onChange(original(p, v))} searchable={data.length > 8} clearable={!p.required} />
} // prettier-ignore

/** Up to four choices are cards; "Title: explanation" as a label becomes two lines. */
function RadioWidget(p: WidgetProps) {
  return (
    <Radio.Group
      label={p.label}
      description={p.schema.description}
      required={p.required}
      value={p.value === undefined ? '' : String(p.value)}
      onChange={(v) => p.onChange(original(p, v))}
      error={p.rawErrors?.[0]}
      name={p.id}
    >
      <div className={s.choices}>
        {optionsOf(p).map((o) => {
          const [title, ...rest] = o.label.split(/:\s+/)
          const detail = rest.join(': ')
          return (
            <Radio.Card key={o.value} value={o.value} className={s.choice} aria-label={o.label} disabled={p.disabled}>
              <Radio.Indicator size="xs" />
              <span>
                <b>{title}</b>
                {detail && <span className="t2">{detail}</span>}
              </span>
            </Radio.Card>
          )
        })}
      </div>
    </Radio.Group>
  )
}
const CheckboxWidget = (p: WidgetProps) => (
  <Checkbox
    id={p.id}
    size="sm"
    label={p.label}
    description={p.schema.description}
    error={p.rawErrors?.[0]}
    disabled={p.disabled || p.readonly}
    checked={Boolean(p.value)}
    onChange={(e) => p.onChange(e.currentTarget.checked)}
  />
)
const CheckboxesWidget = (p: WidgetProps) => (
  <Checkbox.Group label={p.label} description={p.schema.description} error={p.rawErrors?.[0]} value={(p.value ?? []).map(String)} onChange={(v) => p.onChange(v.map((x) => original(p, x)))}>
    <div className={s.checks}>
      {optionsOf(p).map((o) => (
        <Checkbox key={o.value} value={o.value} label={o.label} size="sm" />
      ))}
    </div>
  </Checkbox.Group>
) // prettier-ignore

const FieldTemplate = (p: FieldTemplateProps) =>
  p.hidden ? (
    <div hidden>{p.children}</div>
  ) : (
    <div>
      {p.children}
      {p.rawHelp && <div className={s.help}>{p.rawHelp}</div>}
    </div>
  )
function ObjectFieldTemplate(p: ObjectFieldTemplateProps) {
  const top = p.fieldPathId.path.length === 0
  const rows = (
    <div className={s.stack}>
      {p.properties.map((x) => (
        <div key={x.name} hidden={x.hidden}>
          {x.content}
        </div>
      ))}
    </div>
  )
  return top ? (
    rows
  ) : (
    <fieldset className={s.group}>
      <legend>{p.title}</legend>
      {p.description && <div className="t2">{p.description}</div>}
      {rows}
    </fieldset>
  )
}
const ArrayFieldTemplate = (p: ArrayFieldTemplateProps) => (
  <fieldset className={s.group}>
    <legend>{p.title}</legend>
    {p.schema.description && <div className="t2">{p.schema.description}</div>}
    <div className={s.stack}>{p.items}</div>
    {p.canAdd && (
      <Button
        size="xs"
        variant="default"
        leftSection={<Plus size={13} />}
        onClick={p.onAddClick}
        disabled={p.disabled || p.readonly}
      >
        Add
      </Button>
    )}
  </fieldset>
)
const ArrayFieldItemTemplate = (p: ArrayFieldItemTemplateProps) => (
  <div className={s.item}>
    <div style={{ flex: 1 }}>{p.children}</div>
    {p.buttonsProps.hasRemove && (
      <ActionIcon aria-label={`Remove entry ${p.index + 1}`} onClick={p.buttonsProps.onRemoveItem}>
        <X size={15} />
      </ActionIcon>
    )}
  </div>
)

export const theme: ThemeProps = {
  templates: {
    FieldTemplate,
    ObjectFieldTemplate,
    ArrayFieldTemplate,
    ArrayFieldItemTemplate,
    ButtonTemplates: { SubmitButton: () => <button type="submit" hidden /> } as never,
  },
  widgets: {
    TextWidget,
    TextareaWidget,
    PasswordWidget,
    SelectWidget,
    RadioWidget,
    CheckboxWidget,
    CheckboxesWidget,
    EmailWidget: TextWidget,
    URLWidget: TextWidget,
    UpDownWidget: TextWidget,
    textarea: TextareaWidget,
    password: PasswordWidget,
  },
}
