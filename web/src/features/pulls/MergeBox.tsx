import { Button, Checkbox, Select } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { GitMerge } from 'lucide-react'
import { useState } from 'react'
import { mergePull } from '~/api/mutations'
import { shortRef } from '~/api/refs'
import type { MergeMethod, PullDetail } from '~/api/types'
import { Refusal } from '~/components/Refusal'
import { useRefresh } from '~/components/RouteStates'
import { Ago, Panel } from '~/ui/parts'
import { StepIcon } from '~/ui/Status'
import s from './pulls.module.css'

const METHODS: Record<MergeMethod, string> = {
  merge: 'Merge commit',
  squash: 'Squash: one commit',
  rebase: 'Rebase: each commit again',
}
const WORDS: Record<PullDetail['mergeable'], string> = {
  clean: 'It can be merged',
  unstable: 'It can be merged, but a check is red',
  blocked: 'Something is missing',
  behind: 'Its base has moved on',
  dirty: 'It has conflicts',
  draft: 'It is a draft',
  closed: 'It is closed',
}
/** The words of gates, in those of steps. */
const STEPS = { passed: 'succeeded', failed: 'failed', pending: 'waiting' } as const

export function MergeBox({ pull }: { pull: PullDetail }) {
  return (
    <aside className={s.side}>
      <Panel title={pull.state === 'merged' ? 'It is merged' : WORDS[pull.mergeable]} icon={GitMerge}>
        {pull.state === 'merged' && (
          <p className={s.note}>
            {shortRef(pull.merged_by ?? '')} merged it <Ago at={pull.ended_at} /> as <code className="mono">{pull.merge_sha?.slice(0, 8)}</code> ({pull.method}).
          </p>
        )}
        {pull.state === 'open' && (
          <ul className={s.gates} aria-label="What it must pass">
            {pull.gates.map((g) => (
              <li key={g.id}>
                <StepIcon state={STEPS[g.verdict]} />
                <span>
                  {g.title}
                  {g.detail && <span className="t2">{g.detail}</span>}
                </span>
              </li>
            ))}
          </ul>
        )}
        {pull.merging && <p className={s.note} role="status">It is being merged.</p>}
        {pull.state === 'open' && !pull.merging && <MergeForm key={pull.head_sha} pull={pull} />}
      </Panel>
      <Checks pull={pull} />
      <Reviewers pull={pull} />
    </aside>
  ) // prettier-ignore
}

function MergeForm({ pull }: { pull: PullDetail }) {
  const [method, setMethod] = useState<MergeMethod | undefined>(pull.methods[0])
  const [remove, setRemove] = useState(true)
  const refresh = useRefresh()
  const merge = useMutation({
    mutationFn: (chosen: MergeMethod) => mergePull(pull, { method: chosen, delete_branch: remove }),
    onSettled: () => refresh('pull', 'pulls'),
  })
  if (!pull.actions.includes('merge') || !method)
    return merge.error ? (
      <div className={s.merge}>
        <Refusal error={merge.error} />
      </div>
    ) : null
  return (
    <div className={s.merge}>
      <Select label="How" allowDeselect={false} value={method} data={pull.methods.map((value) => ({ value, label: METHODS[value] }))} onChange={(v) => setMethod(v as MergeMethod)} />
      <Checkbox label={`Delete ${pull.head} afterwards`} checked={remove} onChange={(e) => setRemove(e.currentTarget.checked)} />
      <Button leftSection={<GitMerge size={15} />} loading={merge.isPending} onClick={() => merge.mutate(method)}>Merge into {pull.base}</Button>
      <Refusal error={merge.error} />
    </div>
  ) // prettier-ignore
}

function Checks({ pull }: { pull: PullDetail }) {
  if (!pull.checks.length) return null
  return (
    <Panel title="Checks">
      <ul className={s.gates}>
        {pull.checks.map((c) => (
          <li key={c.name + c.source}>
            <StepIcon state={c.state} />
            <span>
              {c.run_id ? <Link to="/runs/$id" params={{ id: c.run_id }} className={s.link}>{c.name}</Link> : c.url ? <a href={c.url} target="_blank" rel="noreferrer" className={s.link}>{c.name}</a> : c.name}
              <span className="t2">{c.detail || c.source.replace('_', ' ')}</span>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  ) // prettier-ignore
}

function Reviewers({ pull }: { pull: PullDetail }) {
  if (!pull.reviewers.length) return null
  return (
    <Panel title="Reviewers">
      <ul className={s.gates}>
        {pull.reviewers.map((r) => (
          <li key={r.reviewer}>
            <StepIcon state={r.verdict === 'approve' ? 'succeeded' : 'failed'} />
            <span>
              {shortRef(r.reviewer)}
              <span className="t2">{r.verdict === 'approve' ? 'approved' : 'asks for changes'}{!r.counts && ', does not count'}</span>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  ) // prettier-ignore
}
