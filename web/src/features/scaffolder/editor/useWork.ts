/** The state of an editing session: files by revision, answers of the form, and what the server says of them. */
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useId, useMemo, useState } from 'react'
import { dryRunQuery, lintQuery } from '~/api/template-editor'
import type { Json } from '~/api/types'
import { openQuestions } from './answers'
import { changesOf, directoryOf, type EditorFile } from './files'

/** A pause of this length in typing asks the server. */
const PAUSE = 400

export type Revision = { number: number; files: EditorFile[] }
export type Answers = { values: Json; secrets: Record<string, string> }

export function useWork(entry: string, first: EditorFile[], isTrying: boolean) {
  const session = useId()
  const [original] = useState<Revision>({ number: 0, files: first })
  const [now, setNow] = useState<Revision>(original)
  const [answers, setAnswers] = useState<Answers>({ values: {}, secrets: {} })
  const [settled] = useDebouncedValue(now, PAUSE)
  const [asked] = useDebouncedValue(answers, PAUSE)
  const sent = (of: Revision) => () => ({ entry, files: directoryOf(of.files) })
  const lint = useQuery(lintQuery(session, settled.number, sent(settled)))
  const isJudged = lint.isSuccess && !lint.isPlaceholderData && settled === now
  const document = isJudged ? lint.data?.template : undefined
  const form = lint.data?.form
  const missing = useMemo(() => (form ? openQuestions(form, asked.values) : []), [form, asked])
  const key = JSON.stringify(asked)
  const trialOf = (of: Revision, template: Json) => () => ({ template, ...asked, directoryContents: directoryOf(of.files) })
  const tried = useQuery({
    ...dryRunQuery(session, settled.number, key, trialOf(settled, document ?? {})),
    enabled: isTrying && Boolean(document) && !missing.length,
  })
  const changes = useMemo(() => changesOf(original.files, now.files), [original, now])
  const isOther = isTrying && settled.number > 0 && changes.length > 0
  // What the same answers made before the change, to compare with.
  const before = useQuery({ ...lintQuery(session, 0, sent(original)), enabled: isOther })
  const plain = useQuery({
    ...dryRunQuery(session, 0, key, trialOf(original, before.data?.template ?? {})),
    enabled: isOther && Boolean(before.data?.template) && !missing.length,
  })
  return {
    original,
    now,
    change: (files: EditorFile[]) => setNow((old) => ({ number: old.number + 1, files })),
    changes,
    answers,
    setAnswers,
    lint,
    isJudged,
    missing,
    tried,
    isTried: isJudged && asked === answers && !tried.isPlaceholderData && !tried.isFetching,
    plain: isOther ? plain : undefined,
  }
}

export type Work = ReturnType<typeof useWork>
