import { Button, TextInput } from '@mantine/core'
import { useSuspenseQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { GitPullRequestArrow, Rocket, Search } from 'lucide-react'
import { useState } from 'react'
import { templatesQuery } from '~/api/queries'
import { entityRef, shortRef } from '~/api/refs'
import { Avatar } from '~/ui/Avatar'
import { Cli, EmptyState, Page, PageHeader } from '~/ui/parts'
import s from './scaffolder.module.css'

export function TemplatesPage() {
  const { data } = useSuspenseQuery(templatesQuery())
  const [find, setFind] = useState('')
  const needle = find.toLowerCase()
  const shown = data.items.filter((t) =>
    `${t.metadata.title} ${t.metadata.name} ${t.metadata.description} ${t.metadata.tags?.join(' ')}`
      .toLowerCase()
      .includes(needle),
  )
  return (
    <Page>
      <PageHeader
        title="Create"
        sub="Golden paths: what you get here is built, deployed, observable and owned from the first minute."
        right={<>
          {data.items.length > 6 && <TextInput placeholder="Find a golden path" aria-label="Find a golden path" leftSection={<Search size={14} />} value={find} onChange={(e) => setFind(e.currentTarget.value)} />}
          <Button component={Link} to="/create/upgrades" variant="default" leftSection={<GitPullRequestArrow size={14} />}>Services and upgrades</Button>
        </>}
      />
      {shown.length ? (
        <div className={s.gallery}>
          {shown.map((t) => {
            const spec = (t.spec ?? {}) as Record<string, string | undefined>
            const owner = shortRef(spec.owner ?? '')
            return (
              <Link key={entityRef(t)} to="/create/$namespace/$name" params={{ namespace: t.metadata.namespace ?? 'default', name: t.metadata.name }} className={s.tcard}>
                <span className={s.ticon}><Rocket size={19} aria-hidden /></span>
                <h2>{t.metadata.title ?? t.metadata.name}</h2>
                <p className="t2">{t.metadata.description}</p>
                <div className={s.tags}>{t.metadata.tags?.slice(0, 5).map((x) => <span key={x}>{x}</span>)}</div>
                <div className={s.tfoot}>
                  {owner && <><Avatar name={owner} square size={16} />{owner}</>}
                  <span style={{ flex: 1 }} />
                  {spec.type}
                </div>
              </Link>
            )
          })}
        </div>
      ) : needle ? (
        <EmptyState icon={Search} title="No golden path matches">Try a shorter word.</EmptyState>
      ) : (
        <EmptyState icon={Rocket} title="No golden path is registered">
          A template is a catalog entity. By command: <Cli>taxiway catalog register template.yaml</Cli>
        </EmptyState>
      )}
    </Page>
  ) // prettier-ignore
}
