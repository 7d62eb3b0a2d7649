import { GitMerge, GitPullRequest, GitPullRequestClosed, GitPullRequestDraft } from 'lucide-react'
import type { Pull } from '~/api/types'
import { StatusBadge, type Tone } from '~/ui/Status'

const LOOKS = {
  open: [GitPullRequest, 'ok', 'open'],
  draft: [GitPullRequestDraft, 'idle', 'draft'],
  merged: [GitMerge, 'info', 'merged'],
  closed: [GitPullRequestClosed, 'bad', 'closed'],
} as const satisfies Record<string, [typeof GitMerge, Tone, string]>
const lookOf = (p: Pick<Pull, 'state' | 'draft'>) => LOOKS[p.state === 'open' && p.draft ? 'draft' : p.state]

export function PullIcon({ pull, size = 15 }: { pull: Pick<Pull, 'state' | 'draft'>; size?: number }) {
  const [Icon, tone] = lookOf(pull)
  const color = tone === 'idle' ? 'var(--c-text-3)' : `var(--c-${tone})`
  return <Icon size={size} aria-hidden style={{ color, flex: 'none' }} />
}

export function PullBadge({ pull }: { pull: Pick<Pull, 'state' | 'draft'> }) {
  const [, tone, word] = lookOf(pull)
  return (
    <StatusBadge tone={tone} icon={false}>
      <PullIcon pull={pull} size={12} /> {word}
    </StatusBadge>
  )
}
