import { Alert, Button, Drawer } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ArrowRight, Check, GitPullRequestArrow } from 'lucide-react'
import { useState } from 'react'
import { startUpgrade } from '~/api/mutations'
import { upgradePlanQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import type { Json, UpgradePlan } from '~/api/types'
import { Counts, FileBox } from '~/components/FileDiff'
import { Refusal } from '~/components/Refusal'
import { ErrorState, Skeletons } from '~/components/RouteStates'
import { EmptyState } from '~/ui/parts'
import { count } from '~/ui/time'
import { UpgradeQuestions } from './UpgradeQuestions'
import s from './upgrades.module.css'

const NOTHING: Json = {}

/** What an upgrade would change, before anything does: questions first, then every file; the run opens a pull request. */
export default function UpgradeDrawer({ subject, onClose }: { subject: string; onClose: () => void }) {
  const nav = useNavigate()
  const [answers, setAnswers] = useState<Json>(NOTHING)
  const first = useQuery(upgradePlanQuery(subject, NOTHING))
  const plan = useQuery(upgradePlanQuery(subject, answers))
  const questions = first.data?.questions ?? []
  const start = useMutation({
    mutationFn: () => startUpgrade({ subject, answers }),
    onSuccess: ({ id }) => nav({ to: '/runs/$id', params: { id } }),
  })
  const shown = plan.data
  return (
    <Drawer opened onClose={onClose} position="right" size="min(760px, 100%)" title={`Upgrade ${shortRef(subject)}`}>
      <div className={s.move}>
        <span><span className="t3">from</span> <span className="mono">{shown?.version ?? '…'}</span></span>
        <ArrowRight size={16} className="t3" aria-hidden />
        <span><span className="t3">to</span> <span className="mono">{shown?.to ?? '…'}</span></span>
      </div>
      <p className="t2">A pull request will propose it. Nothing in the repository moves before that is merged, and your own changes are kept.</p>
      {plan.error ? (
        <ErrorState error={plan.error} retry={() => void plan.refetch()} compact />
      ) : !shown || !first.data ? (
        <Skeletons rows={6} />
      ) : (
        <>
          {questions.length > 0 && <UpgradeQuestions questions={questions} pending={plan.isFetching} onAnswer={setAnswers} />}
          <Changes plan={shown} />
        </>
      )}
      <Refusal error={start.error} />
      <div className={s.foot}>
        <Button variant="default" onClick={onClose} data-autofocus>Cancel</Button>
        <Button
          leftSection={<GitPullRequestArrow size={15} />}
          disabled={!shown?.is_ready || plan.isFetching}
          loading={start.isPending}
          onClick={() => start.mutate()}
        >
          Open the pull request
        </Button>
      </div>
    </Drawer>
  ) // prettier-ignore
}

function Changes({ plan }: { plan: UpgradePlan }) {
  if (plan.files === null)
    return plan.state === 'current' ? (
      <EmptyState icon={Check} title="It has the newest version" compact>
        Somebody was faster: there is nothing to upgrade.
      </EmptyState>
    ) : null
  const total = plan.file_count ?? plan.files.length
  return (
    <>
      {plan.conflicts.length > 0 && (
        <Alert color="yellow" variant="light" mb={12}>
          <b>{count(plan.conflicts.length)} to look at in the pull request</b>
          <ul className={s.conflicts}>
            {plan.conflicts.map((c) => (
              <li key={c.path}>
                <span className="mono">{c.path}</span>: {c.detail}
              </li>
            ))}
          </ul>
        </Alert>
      )}
      {plan.is_record_changed && (
        <Alert variant="light" mb={12}>
          <span className="mono">.taxiway/scaffold.yaml</span> was changed by hand. It is written anew: the upgrade goes by what
          Taxiway remembers.
        </Alert>
      )}
      <p className="t2">
        {count(total)} {total === 1 ? 'file' : 'files'}, <Counts added={plan.additions ?? 0} removed={plan.deletions ?? 0} />
      </p>
      {plan.files.map((f) => (
        <FileBox key={f.path} file={f} />
      ))}
      {total > plan.files.length && <p className="t2">The rest is in the pull request.</p>}
    </>
  )
}
