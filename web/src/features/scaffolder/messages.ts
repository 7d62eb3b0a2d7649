/** Words for what the validator found: what to do, not which keyword failed. */
import type { RJSFSchema, RJSFValidationError } from '@rjsf/utils'

const at = (schema: RJSFSchema, property = ''): RJSFSchema | undefined =>
  property
    .split('.')
    .filter(Boolean)
    .reduce<RJSFSchema | undefined>(
      (s, k) => (s?.properties?.[k] as RJSFSchema | undefined) ?? (s?.items as RJSFSchema | undefined),
      schema,
    )

export const humanErrors =
  (schema: RJSFSchema, help: (property: string) => string | undefined) =>
  (errors: RJSFValidationError[]): RJSFValidationError[] =>
    errors.map((e) => {
      const s = at(schema, e.property)
      const hint = help(e.property ?? '')
      const message: Record<string, string | undefined> = {
        required: 'Fill this in',
        pattern: hint ?? `Must match ${String(s?.pattern ?? 'the required form')}`,
        minLength: s?.minLength === 1 ? 'Fill this in' : `Write at least ${s?.minLength} characters`,
        maxLength: `Write at most ${s?.maxLength} characters`,
        minimum: `Use ${s?.minimum} or more`,
        maximum: `Use ${s?.maximum} or less`,
        minItems: `Choose at least ${s?.minItems}`,
        maxItems: `Choose at most ${s?.maxItems}`,
        enum: 'Choose one of the offered values',
        not: 'This value is reserved: choose another one',
        format: `Must be a valid ${String(s?.format ?? 'value')}`,
        type: 'Has the wrong type',
      }
      return { ...e, message: message[e.name ?? ''] ?? e.message }
    })
