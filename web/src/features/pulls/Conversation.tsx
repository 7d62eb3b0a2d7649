import { Button, Textarea } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Check, MessageSquare, TriangleAlert } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { reviewPull } from '~/api/mutations'
import { pullReviewsQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import type { PullDetail, Review, ReviewVerdict } from '~/api/types'
import { Refusal } from '~/components/Refusal'
import { Await, useRefresh } from '~/components/RouteStates'
import { Avatar } from '~/ui/Avatar'
import { Ago } from '~/ui/parts'
import { StatusBadge, type Tone } from '~/ui/Status'
import s from './pulls.module.css'

const Markdown = lazy(() => import('~/components/Markdown'))
const VERDICTS: Record<ReviewVerdict, [string, Tone]> = {
  approve: ['approved', 'ok'],
  request_changes: ['asks for changes', 'bad'],
  comment: ['commented', 'idle'],
}

export function Conversation({ pull }: { pull: PullDetail }) {
  const query = useQuery(pullReviewsQuery(pull.repository, String(pull.number)))
  return (
    <div className={s.talk}>
      <Entry author={pull.author} at={pull.created_at} text={pull.body || '_No description._'} />
      <Await query={query} rows={2}>
        {({ items }) => items.map((review) => <ReviewEntry key={review.id} review={review} head={pull.head_sha} />)}
      </Await>
      {pull.actions.includes('comment') && <ReviewForm pull={pull} />}
    </div>
  )
}

type EntryProps = { author: string; at: number; text: string; note?: React.ReactNode }
export function Entry({ author, at, text, note }: EntryProps) {
  return (
    <article className={s.entry} aria-label={`${shortRef(author)} wrote`}>
      <header>
        <Avatar name={shortRef(author)} size={20} />
        <b>{shortRef(author)}</b>
        {note}
        <span style={{ flex: 1 }} />
        <Ago at={at} className="t3" />
      </header>
      {text && (
        <div className={s.text}>
          <Suspense fallback={<p>{text}</p>}>
            <Markdown text={text} />
          </Suspense>
        </div>
      )}
    </article>
  )
}

function ReviewEntry({ review, head }: { review: Review; head: string }) {
  const [words, tone] = VERDICTS[review.verdict]
  const dismissed = review.dismissed_at !== null
  const note = (
    <>
      <StatusBadge tone={dismissed ? 'idle' : tone} icon={review.verdict !== 'comment'}>
        {words}
      </StatusBadge>
      {review.path && (
        <code className="mono t2">
          {review.path}
          {review.line !== null && `:${review.line}`}
        </code>
      )}
      {review.verdict === 'approve' && !review.counts && <span className="t3">does not count towards the rule</span>}
      {dismissed && <span className="t3">taken back: {review.dismissed_reason}</span>}
      {!dismissed && review.commit !== head && <span className="t3">at {review.commit.slice(0, 8)}</span>}
    </>
  )
  return <Entry author={review.author} at={review.created_at} text={review.body} note={note} />
}

function ReviewForm({ pull }: { pull: PullDetail }) {
  const [body, setBody] = useState('')
  const refresh = useRefresh()
  const send = useMutation({
    mutationFn: (verdict: ReviewVerdict) => reviewPull(pull, { verdict, body }),
    onSuccess: () => {
      setBody('')
      return refresh('pull', 'pulls')
    },
  })
  const may = pull.actions.includes('review')
  return (
    <section className={s.form} aria-label="Your review">
      <Textarea label="Comment" description="Markdown" rows={4} resize="vertical" value={body} onChange={(e) => setBody(e.currentTarget.value)} />
      <div className={s.buttons}>
        <Button variant="default" leftSection={<MessageSquare size={14} />} disabled={!body.trim()} loading={send.isPending && send.variables === 'comment'} onClick={() => send.mutate('comment')}>Comment</Button>
        {may && <Button variant="default" leftSection={<TriangleAlert size={14} />} disabled={!body.trim()} loading={send.isPending && send.variables === 'request_changes'} onClick={() => send.mutate('request_changes')}>Request changes</Button>}
        {may && <Button leftSection={<Check size={14} />} loading={send.isPending && send.variables === 'approve'} onClick={() => send.mutate('approve')}>Approve</Button>}
      </div>
      <Refusal error={send.error} />
    </section>
  ) // prettier-ignore
}
