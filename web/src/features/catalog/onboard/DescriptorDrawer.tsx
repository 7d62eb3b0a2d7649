import { Alert, Button, Drawer, Textarea } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { descriptorVerdictQuery } from '~/api/onboarding'
import { ErrorState } from '~/components/RouteStates'
import s from './onboard.module.css'

type Props = { name: string; text: string; onClose: () => void; onDone: (text: string) => void }

/** A proposed descriptor as text, judged while it is written. */
export default function DescriptorDrawer({ name, text: before, onClose, onDone }: Props) {
  const [text, setText] = useState(before)
  const [asked] = useDebouncedValue(text, 300)
  const verdict = useQuery(descriptorVerdictQuery(asked))
  const problems = verdict.data?.problems ?? []
  const ready = asked === text && !verdict.isFetching && verdict.data !== undefined && !problems.length
  return (
    <Drawer opened onClose={onClose} position="right" size="min(760px, 100%)" title={`catalog-info.yaml of ${name}`}>
      <Textarea
        label="The descriptor as YAML"
        description="More than one entity: put --- between them."
        data-autofocus
        rows={Math.min(32, Math.max(16, text.split('\n').length + 1))}
        resize="vertical"
        spellCheck={false}
        classNames={{ input: s.text }}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
      />
      {verdict.error && <ErrorState error={verdict.error} compact />}
      {problems.length > 0 && (
        <Alert color="red" variant="light" role="alert" title="Not valid yet" mt={12}>
          <ul className={s.problems}>
            {problems.map((p, i) => (
              <li key={i}>
                {p.line !== null && <b>Line {p.line}: </b>}
                {p.detail}
              </li>
            ))}
          </ul>
        </Alert>
      )}
      <div className={s.foot}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button disabled={!ready} onClick={() => onDone(text)}>
          Take this one
        </Button>
      </div>
    </Drawer>
  )
}
