import { Button } from '@mantine/core'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { FolderInput } from 'lucide-react'
import { adoptableQuery, startAdoption } from '~/api/golden-paths'
import { EntityLink } from '~/components/EntityLink'
import { Refusal } from '~/components/Refusal'
import { DataTable } from '~/ui/DataTable'
import { Panel } from '~/ui/parts'
import s from './upgrades.module.css'

/** Repositories that another tool made from a template: adopted, they get upgrades too. Not there while there is none. */
export function Adoptions() {
  const query = useInfiniteQuery(adoptableQuery())
  const nav = useNavigate()
  const adopt = useMutation({ mutationFn: startAdoption, onSuccess: ({ id }) => nav({ to: '/runs/$id', params: { id } }) })
  const items = query.data?.pages.flatMap((p) => p.items) ?? []
  if (!items.length && !query.hasNextPage) return null
  return (
    <Panel title="Repositories to adopt" icon={FolderInput} style={{ marginTop: 20 }}>
      <p className={`t2 ${s.told}`}>Another tool made these from a template. Adoption finds the version and the answers, and proposes them as a pull request.</p>
      <Refusal error={adopt.error} />
      <DataTable
        label="Repositories to adopt"
        rows={items}
        rowKey={(x) => x.repository}
        columns={[
          { title: 'Repository', head: true, cell: (x) => x.repository },
          { title: 'Service', cell: (x) => (x.subject ? <EntityLink entity={x.subject} /> : <span className="t2">no component yet</span>) },
          { title: 'Made by', className: 't2', cell: (x) => x.tool },
          { title: 'Golden path', cell: (x) => (x.template ? <EntityLink entity={x.template} /> : <span className="t2">not here: {x.source}</span>) },
          { title: 'Action', silent: true, cell: (x) => x.template && x.subject && <Button size="compact-xs" variant="default" aria-label={`Adopt ${x.repository}`} loading={adopt.isPending && adopt.variables === x.repository} onClick={() => adopt.mutate(x.repository)}>Adopt</Button> },
        ]}
      />
      {query.hasNextPage && <div className={s.buttons}><Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Look further</Button></div>}
    </Panel>
  ) // prettier-ignore
}
