import { Button, Tabs } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { FileDiff, GitCommitHorizontal, MessagesSquare } from 'lucide-react'
import { markReady, operatePull } from '~/api/mutations'
import { pullCommitsQuery, pullQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import type { PullDetail } from '~/api/types'
import { notifyError } from '~/components/notify'
import { Await, useRefresh } from '~/components/RouteStates'
import { Ago, Page, PageHeader, Panel } from '~/ui/parts'
import { Conversation } from './Conversation'
import { Files } from './Files'
import { MergeBox } from './MergeBox'
import { PullBadge } from './PullState'
import s from './pulls.module.css'

const route = getRouteApi('/app/pulls/$repository/$number')
const TABS = ['conversation', 'commits', 'files']

export function PullPage() {
  const { repository, number } = route.useParams()
  const { tab } = route.useSearch()
  const nav = route.useNavigate()
  const query = useQuery(pullQuery(repository, number))
  const shown = TABS.includes(tab ?? '') ? tab : 'conversation'
  return (
    <Await query={query} rows={8}>
      {(pull) => (
        <Page>
          <PageHeader
            title={<>{pull.title} <span className="t3">{pull.repository}#{pull.number}</span></>}
            sub={
              <span className={s.meta}>
                <PullBadge pull={pull} />
                <span>{shortRef(pull.author)} wants to bring <code className="mono">{pull.head}</code> into <code className="mono">{pull.base}</code></span>
                <span>opened <Ago at={pull.created_at} /></span>
                {pull.reason && <span>{pull.reason}</span>}
              </span>
            }
            right={<Actions pull={pull} />}
          />
          <Tabs value={shown} onChange={(v) => void nav({ search: { tab: v === 'conversation' || !v ? undefined : v }, replace: true })} keepMounted={false}>
            <Tabs.List mb={14}>
              <Tabs.Tab value="conversation" leftSection={<MessagesSquare size={14} />}>Conversation</Tabs.Tab>
              <Tabs.Tab value="commits" leftSection={<GitCommitHorizontal size={14} />}>Commits{pull.ahead !== null && ` (${pull.ahead})`}</Tabs.Tab>
              <Tabs.Tab value="files" leftSection={<FileDiff size={14} />}>Files</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="conversation">
              <div className={s.split}>
                <Conversation pull={pull} />
                <MergeBox pull={pull} />
              </div>
            </Tabs.Panel>
            <Tabs.Panel value="commits"><Commits pull={pull} /></Tabs.Panel>
            <Tabs.Panel value="files"><Files pull={pull} /></Tabs.Panel>
          </Tabs>
        </Page>
      )}
    </Await>
  ) // prettier-ignore
}

function Actions({ pull }: { pull: PullDetail }) {
  const refresh = useRefresh()
  const act = useMutation({
    mutationFn: (what: 'close' | 'reopen' | 'ready') => (what === 'ready' ? markReady(pull) : operatePull(pull, what)),
    onSuccess: () => refresh('pull', 'pulls'),
    onError: (e) => notifyError('It was refused', e),
  })
  const may = (what: string) => pull.actions.includes(what)
  return (
    <>
      {may('edit') && pull.draft && <Button onClick={() => act.mutate('ready')} loading={act.isPending}>Ready for review</Button>}
      {may('close') && <Button variant="default" onClick={() => act.mutate('close')} loading={act.isPending}>Close</Button>}
      {may('reopen') && <Button variant="default" onClick={() => act.mutate('reopen')} loading={act.isPending}>Open again</Button>}
    </>
  ) // prettier-ignore
}

function Commits({ pull }: { pull: PullDetail }) {
  const query = useQuery(pullCommitsQuery(pull.repository, String(pull.number), pull.head_sha))
  return (
    <Await query={query} rows={5}>
      {({ items }) => (
        <Panel title="Commits, newest first" icon={GitCommitHorizontal}>
          <ul className={s.list}>
            {items.map((c) => (
              <li key={c.sha}>
                <span className="trunc" style={{ flex: 1, minWidth: 0 }} title={c.message}>{c.message.split('\n')[0]}</span>
                <span className="t2">{c.author}</span>
                <code className="mono t3">{c.sha.slice(0, 8)}</code>
                <Ago at={c.at} className="t3" />
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </Await>
  ) // prettier-ignore
}
