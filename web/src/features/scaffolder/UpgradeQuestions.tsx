/** What a new version of a golden path asks: the same form as in the wizard, for those questions alone. */
import { Button } from '@mantine/core'
import Form, { type IChangeEvent } from '@rjsf/core/lib/components/Form.js'
import withTheme from '@rjsf/core/lib/withTheme.js'
import type { RJSFSchema } from '@rjsf/utils'
import { type RefObject, useMemo, useRef, useState } from 'react'
import type { Json, UpgradeQuestion } from '~/api/types'
import type { FormContext } from './field-parts'
import { fields } from './fields'
import { humanErrors } from './messages'
import { theme } from './rjsf-theme'
import { splitStep } from './template-schema'
import s from './upgrades.module.css'
import { validator } from './validator'

const ThemedForm = withTheme<Json, RJSFSchema, FormContext>(theme as never)

const formOf = (questions: UpgradeQuestion[]) =>
  splitStep({
    type: 'object',
    required: questions.filter((q) => q.is_required).map((q) => q.name),
    properties: Object.fromEntries(questions.map((q) => [q.name, q.schema])),
  } as never)
const answersOf = (questions: UpgradeQuestion[]): Json =>
  Object.fromEntries(questions.filter((q) => q.answer !== null && q.answer !== undefined).map((q) => [q.name, q.answer]))

type Props = { questions: UpgradeQuestion[]; onAnswer: (answers: Json) => void; pending?: boolean; action?: string }
export function UpgradeQuestions({ questions, onAnswer, pending, action = 'Show what changes' }: Props) {
  const { schema, uiSchema } = useMemo(() => formOf(questions), [questions])
  const [values, setValues] = useState(() => answersOf(questions))
  const form = useRef<Form<Json, RJSFSchema, FormContext>>(null)
  return (
    <section className={s.questions} aria-label="Questions">
      <h3>{questions.length === 1 ? 'The new version asks a question' : 'The new version asks questions'}</h3>
      <ThemedForm
        ref={form as RefObject<Form<Json, RJSFSchema, FormContext>>}
        schema={schema}
        uiSchema={uiSchema}
        formData={values}
        formContext={{ values, secrets: {}, setSecret: () => undefined }}
        validator={validator}
        fields={fields as never}
        transformErrors={humanErrors(schema, () => undefined)}
        showErrorList={false}
        noHtml5Validate
        onChange={(e: IChangeEvent<Json>) => setValues((old) => ({ ...old, ...e.formData }))}
        onSubmit={() => onAnswer(values)}
      >
        <button type="submit" hidden />
      </ThemedForm>
      <div className={s.buttons}>
        <Button size="xs" variant="default" loading={pending} onClick={() => form.current?.submit()}>
          {action}
        </Button>
      </div>
    </section>
  )
}
