/** What a change would do, and the two ways to make it. Used by the pages that edit and add. */
import { Alert, Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { FileDiff, GitCommitHorizontal, GitPullRequestArrow } from 'lucide-react'
import type { ReactNode } from 'react'
import { asApiError } from '~/api/errors'
import type { How } from '~/api/edits'
import type { EditOutcome, EditPreview } from '~/api/types'
import { FileBox } from '~/components/FileDiff'
import { notifyDone } from '~/components/notify'
import { Refusal } from '~/components/Refusal'
import { useRefresh } from '~/components/RouteStates'
import { EmptyState, Panel } from '~/ui/parts'
import s from './edit.module.css'
import { hunksOf } from './values'

type Props = {
  preview: EditPreview | undefined
  error: unknown
  /** The preview is of something else than what is on the screen. */
  stale: boolean
  /** What is said before anything is changed. */
  idle: ReactNode
  send: (how: How) => Promise<EditOutcome>
  onLine?: (line: number) => void
  onMoved: () => void
  /** Where to go after a commit. */
  back: string
}

export function PreviewPanel({ preview, error, stale, idle, send, onLine, onMoved, back }: Props) {
  const nav = useNavigate()
  const refresh = useRefresh()
  const make = useMutation({
    mutationFn: send,
    onSuccess: async (made) => {
      await refresh('entity', 'entities', 'pulls', 'history')
      if (made.pull !== null)
        return nav({ to: '/pulls/$repository/$number', params: { repository: made.repository, number: String(made.pull) } })
      notifyDone('Committed', 'The catalog follows in a moment.')
      return nav({ to: back })
    },
  })
  const moved = make.error !== null && asApiError(make.error).status === 412
  const ready = Boolean(preview?.is_changed) && !preview?.problems.length && !stale && !error
  return (
    <div className={s.side}>
      <Panel title="What changes" icon={FileDiff} pad={12}>
        {error ? (
          <Refusal error={error} />
        ) : preview?.is_changed ? (
          <>
            <Problems preview={preview} onLine={onLine} />
            <Difference preview={preview} />
          </>
        ) : (
          <EmptyState icon={FileDiff} title="Nothing is changed yet" compact>
            {idle}
          </EmptyState>
        )}
      </Panel>
      <Refusal error={make.error} />
      {moved && (
        <Button variant="default" onClick={() => { make.reset(); onMoved() }}>
          Look at it as it is now
        </Button>
      )}
      <div className={s.send}>
        <Button leftSection={<GitPullRequestArrow size={15} />} disabled={!ready || make.isPending} loading={make.isPending && make.variables === 'pull'} onClick={() => make.mutate('pull')}>
          Open a pull request
        </Button>
        {preview?.may_commit && (
          <Button variant="default" leftSection={<GitCommitHorizontal size={15} />} disabled={!ready || make.isPending} loading={make.isPending && make.variables === 'commit'} onClick={() => make.mutate('commit')}>
            Commit to the default branch
          </Button>
        )}
        {preview && !preview.may_commit && (
          <p className={s.note}>{preview.is_protected ? 'Its branch is protected: it changes by pull requests only.' : 'The owners of the repository merge it.'}</p>
        )}
      </div>
    </div>
  ) // prettier-ignore
}

function Problems({ preview, onLine }: { preview: EditPreview; onLine?: (line: number) => void }) {
  if (!preview.problems.length) return null
  return (
    <Alert color="red" variant="light" role="alert" title="Not valid yet" mb={12}>
      <ul className={s.problems}>
        {preview.problems.map((p, i) => (
          <li key={i}>
            {p.line !== null && (onLine ? <button type="button" className={s.line} onClick={() => onLine(p.line ?? 1)}>Line {p.line}</button> : <b>Line {p.line} </b>)}
            {p.detail} <span className="t2">{p.code === 'invalid' ? '' : p.remedy}</span>
          </li>
        ))}
      </ul>
    </Alert>
  ) // prettier-ignore
}

function Difference({ preview }: { preview: EditPreview }) {
  const patch = hunksOf(preview.diff)
  const lines = patch.split('\n')
  const count = (sign: string) => lines.filter((line) => line.startsWith(sign)).length
  const isShort = patch.startsWith('@@')
  return (
    <FileBox
      file={{
        path: `${preview.repository}/${preview.path}`,
        previous_path: null,
        status: preview.etag && count('-') === 0 && patch.startsWith('@@ -0,0') ? 'added' : 'modified',
        additions: count('+'),
        deletions: count('-'),
        is_binary: false,
        is_cut: !isShort,
        patch: isShort ? patch : null,
      }}
    />
  )
}
