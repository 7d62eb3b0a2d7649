/** Opens a golden path with its files in an editor, or offers those that there are. */
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Copy, FileCode2, SquarePen } from 'lucide-react'
import { templatesQuery } from '~/api/queries'
import { entityRef, shortRef, titleOf } from '~/api/refs'
import { templateFilesQuery } from '~/api/template-editor'
import type { Entity } from '~/api/types'
import { Await, ErrorState, Skeletons } from '~/components/RouteStates'
import { DataTable } from '~/ui/DataTable'
import { Cli, EmptyState, Page, PageHeader } from '~/ui/parts'
import s from './editor.module.css'
import { Workspace } from './Workspace'

const route = getRouteApi('/app/create/editor')

export function EditorPage() {
  const { template } = route.useSearch()
  const [namespace, name] = template?.includes('/') ? template.split('/') : ['default', template]
  return <Page wide>{namespace && name ? <Opened key={template} namespace={namespace} name={name} /> : <Chooser />}</Page>
}

function Opened({ namespace, name }: { namespace: string; name: string }) {
  const query = useQuery(templateFilesQuery(namespace, name))
  if (query.data) return <Workspace found={query.data} name={name} />
  return (
    <>
      <PageHeader title={`Edit ${name}`} sub="A golden path with its files." right={<Button variant="default" component={Link} to="/create/editor">All golden paths</Button>} />
      {query.error ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : <Skeletons rows={10} />}
    </>
  )
} // prettier-ignore

function Chooser() {
  const query = useQuery(templatesQuery())
  return (
    <>
      <PageHeader
        title="Template editor"
        sub="Change a golden path, or make one from another, and see at once what it asks and what it makes. Nothing is written before you propose it."
        right={<Button variant="default" component={Link} to="/create">Back to Create</Button>}
      />
      <Await query={query} rows={8}>
        {({ items }) =>
          items.length ? (
            <div className={s.card}>
              <DataTable
                label="Golden paths"
                rows={items}
                rowKey={entityRef}
                columns={[
                  { title: 'Golden path', head: true, cell: (t) => <><b className={s.title}>{titleOf(t)}</b><span className="t2">{t.metadata.description}</span></> },
                  { title: 'Owner', className: s.owner, cell: (t) => shortRef(String((t.spec as { owner?: string } | undefined)?.owner ?? '')) || '—' },
                  { title: 'Open', silent: true, cell: (t) => <Ways template={t} /> },
                ]}
              />
            </div>
          ) : (
            <EmptyState icon={FileCode2} title="No golden path is registered">
              A template is a catalog entity. By command: <Cli>taxiway catalog register template.yaml</Cli>
            </EmptyState>
          )
        }
      </Await>
    </>
  )
} // prettier-ignore

function Ways({ template: t }: { template: Entity }) {
  const to = `/create/editor?template=${encodeURIComponent(`${t.metadata.namespace ?? 'default'}/${t.metadata.name}`)}`
  return (
    <span className={s.ways}>
      <Button size="xs" variant="default" leftSection={<SquarePen size={13} />} component={Link} to={to} aria-label={`Edit ${titleOf(t)}`}>Edit</Button>
      <Button size="xs" variant="default" leftSection={<Copy size={13} />} component={Link} to={`${to}&as=new`} aria-label={`New from it: ${titleOf(t)}`}>New from it</Button>
    </span>
  )
} // prettier-ignore
