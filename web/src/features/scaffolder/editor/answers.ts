/** What the form still wants to know, before the server is asked. */
import type { RJSFSchema } from '@rjsf/utils'
import type { Json, ParameterSchema } from '~/api/types'
import { humanErrors } from '../messages'
import { defaultsOf, splitStep } from '../template-schema'
import { validator } from '../validator'

export type Question = { title: string; message: string }

export function openQuestions(form: ParameterSchema, values: Json): Question[] {
  return form.steps.flatMap((page): Question[] => {
    const { schema } = splitStep(page.schema)
    const { errors } = validator.validateFormData({ ...defaultsOf(schema), ...values }, schema)
    return humanErrors(
      schema,
      () => undefined,
    )(errors).map((e) => ({
      title: titleOf(schema, e.property ?? ''),
      message: e.message ?? 'Is not valid',
    }))
  })
}

function titleOf(schema: RJSFSchema, property: string): string {
  const [name = ''] = property.split('.').filter(Boolean)
  const found = schema.properties?.[name]
  return (typeof found === 'object' && found.title) || name || 'The page'
}
