/** One page of a golden path's form, as the wizard asks it and the template editor shows it. */
// not from the package's index: that one also pulls in a validator that needs `eval`
import Form, { type IChangeEvent } from '@rjsf/core/lib/components/Form.js'
import withTheme from '@rjsf/core/lib/withTheme.js'
import type { RJSFSchema } from '@rjsf/utils'
import { type RefObject, useState } from 'react'
import type { Json } from '~/api/types'
import type { FormContext } from './field-parts'
import { fields } from './fields'
import { humanErrors } from './messages'
import { theme } from './rjsf-theme'
import type { splitStep } from './template-schema'
import { validator } from './validator'

const ThemedForm = withTheme<Json, RJSFSchema, FormContext>(theme as never)
export type StepFormRef = Form<Json, RJSFSchema, FormContext>
type Props = {
  step: ReturnType<typeof splitStep>
  context: FormContext
  form: RefObject<StepFormRef | null>
  onChange: (answers: Json) => void
  onSubmit: () => void
}

/** Give it a key per page: what was tried belongs to one. */
export function StepForm({ step, context, form, onChange, onSubmit }: Props) {
  const [tried, setTried] = useState(false)
  return (
    <ThemedForm
      ref={form as RefObject<StepFormRef>}
      schema={step.schema}
      uiSchema={step.uiSchema}
      formData={context.values}
      formContext={context}
      validator={validator}
      fields={fields as never}
      liveValidate={tried ? 'onChange' : false}
      transformErrors={humanErrors(step.schema, (p) => helpOf(step.uiSchema, p))}
      onError={() => setTried(true)}
      focusOnFirstError={(e) =>
        document
          .getElementById(
            [
              'root',
              ...String(e.property ?? '')
                .split('.')
                .filter(Boolean),
            ].join('_'),
          )
          ?.focus()
      }
      showErrorList={false}
      noHtml5Validate
      onChange={(e: IChangeEvent<Json>) => onChange(e.formData ?? {})}
      onSubmit={onSubmit}
    >
      <button type="submit" hidden />
    </ThemedForm>
  )
}

/** `ui:help` of a property such as `.name`; shown as the message when its pattern does not match. */
function helpOf(ui: Json, property: string): string | undefined {
  const node = property.split('.').filter(Boolean).reduce<unknown>((n, k) => (n as Json | undefined)?.[k], ui) // prettier-ignore
  const help = (node as Json | undefined)?.['ui:help']
  return typeof help === 'string' ? help : undefined
}
