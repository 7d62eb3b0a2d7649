/** The saved views of the catalog: picked, kept, shared, exported, removed. The table's state is in the URL; a view only names it. */
import { Button, Menu, Modal } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Bookmark, BookmarkPlus, Check, ChevronDown, Download, Home, Link2, PencilLine, RotateCcw, Save, Table2, Trash2, UserRound } from 'lucide-react' // prettier-ignore
import { useState } from 'react'
import { asApiError } from '~/api/errors'
import { meQuery } from '~/api/queries'
import { shortRef } from '~/api/refs'
import type { View } from '~/api/types'
import { openWithView, removeView, updateView } from '~/api/views'
import { notifyDone, notifyError } from '~/components/notify'
import { useRefresh } from '~/components/RouteStates'
import type { CatalogSearch } from '~/routes'
import { isAsKept, keptOf } from '../catalog-filter'
import s from '../catalog.module.css'
import { exportPath } from './export'
import { ViewForm } from './ViewForm'

type Props = {
  search: CatalogSearch
  views: { data?: { items: View[]; next_cursor?: string | null }; error: unknown; isPending: boolean; refetch: () => unknown }
  /** The one that the table began as. */
  view?: View
  onPick: (view: View | undefined) => void
  onOwn: (owners: string[]) => void
}
type Open = 'new' | 'change' | 'remove'

export function ViewMenu({ search, views, view, onPick, onOwn }: Props) {
  const { data: me } = useQuery(meQuery())
  const [opened, setOpened] = useState(false)
  const [open, setOpen] = useState<Open>()
  const refresh = useRefresh()
  useHotkeys([['v', () => setOpened(true)]])
  const mine = me ? [me.ref, ...me.groups] : []
  const own = view === undefined && mine.length > 0 && mine.join() === search.owner?.join()
  const edited = view !== undefined && !isAsKept(search, view)
  const save = useMutation({
    mutationFn: (v: View) => updateView(v, { ...saidOf(v), ...keptOf(search) }),
    onSuccess: async (v) => {
      await refresh('views')
      notifyDone(`${v.title} is saved as it is now`)
    },
    onError: (e) => notifyError('The view could not be saved', e),
  })
  const start = useMutation({
    mutationFn: (v: View) => openWithView(v, !v.is_default),
    onSuccess: () => refresh('views'),
    onError: (e) => notifyError('That could not be changed', e),
  })
  const remove = useMutation({
    mutationFn: removeView,
    onSuccess: async () => {
      onPick(undefined)
      await refresh('views')
    },
    onError: (e) => notifyError('The view could not be removed', e),
    onSettled: () => setOpen(undefined),
  })
  const copy = () =>
    navigator.clipboard.writeText(window.location.href).then(
      () => notifyDone('The link is copied', 'Whoever opens it sees this table, with what they may see.'),
      () => notifyError('The link could not be copied', new Error('copy it from the address bar')),
    )
  const path = exportPath(search, view && !edited ? view : undefined)
  return (
    <>
      <Menu opened={opened} onChange={setOpened} position="bottom-start" width={280} returnFocus withInitialFocusPlaceholder={false} withinPortal={false}>
        <Menu.Target>
          <button type="button" className={s.view} aria-label={view ? `View: ${view.title}${edited ? ', changed' : ''}` : 'Views'}>
            <Bookmark size={14} aria-hidden />
            <span className="trunc">{view?.title ?? 'Views'}</span>
            {edited && <span className={s.edited}>changed</span>}
            <ChevronDown size={13} aria-hidden className="t3" />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <div className={s.views}>
            <Menu.Item leftSection={<Table2 size={15} />} rightSection={view || own ? null : <Check size={14} aria-label="shown now" />} onClick={() => onPick(undefined)}>
              Everything
            </Menu.Item>
            <Menu.Item leftSection={<UserRound size={15} />} rightSection={own ? <Check size={14} aria-label="shown now" /> : null} onClick={() => onOwn(mine)}>
              What you and your teams own
            </Menu.Item>
            {groupsOf(views.data?.items ?? [], me?.ref).map(([title, items]) => (
              <div key={title} role="group" aria-label={title}>
                <Menu.Label>{title}</Menu.Label>
                {items.map((v) => (
                  <Menu.Item
                    key={v.id}
                    leftSection={v.is_default ? <Home size={15} aria-label="your catalog opens with it" /> : <Bookmark size={15} />}
                    rightSection={v.id === view?.id ? <Check size={14} aria-label="shown now" /> : null}
                    onClick={() => onPick(v)}
                  >
                    <span className="trunc" style={{ display: 'block', maxWidth: 200 }} title={v.name}>{v.title}</span>
                  </Menu.Item>
                ))}
              </div>
            ))}
            <ListState {...views} />
          </div>
          <Menu.Divider />
          {view?.may_edit && edited && <Menu.Item leftSection={<Save size={15} />} onClick={() => save.mutate(view)}>Save the changes</Menu.Item>}
          {edited && <Menu.Item leftSection={<RotateCcw size={15} />} onClick={() => onPick(view)}>Undo the changes</Menu.Item>}
          <Menu.Item leftSection={<BookmarkPlus size={15} />} onClick={() => setOpen('new')}>Save as a new view…</Menu.Item>
          {view?.may_edit && <Menu.Item leftSection={<PencilLine size={15} />} onClick={() => setOpen('change')}>Rename or share…</Menu.Item>}
          {view && <Menu.Item leftSection={<Home size={15} />} onClick={() => start.mutate(view)}>{view.is_default ? 'Open the catalog with everything' : 'Open the catalog with it'}</Menu.Item>}
          <Menu.Item leftSection={<Link2 size={15} />} onClick={() => void copy()}>Copy a link to this table</Menu.Item>
          {path ? (
            <Menu.Item leftSection={<Download size={15} />} component="a" href={path} download>Export as CSV</Menu.Item>
          ) : (
            <Menu.Item leftSection={<Download size={15} />} disabled>Export as CSV: save the view first</Menu.Item>
          )}
          {view?.may_edit && <Menu.Item leftSection={<Trash2 size={15} />} color="red" onClick={() => setOpen('remove')}>Remove the view…</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {(open === 'new' || (open === 'change' && view)) && me && (
        <ViewForm me={me} search={search} view={open === 'change' ? view : undefined} onClose={() => setOpen(undefined)} onDone={onPick} />
      )}
      <Modal opened={open === 'remove' && view !== undefined} onClose={() => setOpen(undefined)} title={`Remove ${view?.title}?`} size={420}>
        <p style={{ marginTop: 0 }}>{view?.visible_to === 'everybody' ? 'It goes for everybody. ' : ''}The entities that it shows stay.</p>
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={() => setOpen(undefined)} data-autofocus>Keep it</Button>
          <Button variant="outline" color="red" loading={remove.isPending} onClick={() => view && remove.mutate(view)}>Remove</Button>
        </div>
      </Modal>
    </>
  ) // prettier-ignore
}

function ListState({ data, error, isPending, refetch }: Props['views']) {
  if (error) {
    const { detail, status } = asApiError(error)
    const said = status === 403 ? 'You may not see saved views.' : detail
    return <Menu.Item closeMenuOnClick={false} onClick={() => void refetch()}>{said} Try again</Menu.Item> // prettier-ignore
  }
  if (isPending) return <Menu.Label role="status">Loading the views…</Menu.Label>
  if (data?.next_cursor) return <Menu.Label>The first 500 are shown</Menu.Label>
  return data?.items.length ? null : <Menu.Label>No view is saved yet</Menu.Label>
}

/** One's own first, then by group, then everybody's. */
function groupsOf(items: View[], me: string | undefined): [string, View[]][] {
  const own = items.filter((v) => v.owner === me)
  const shared = items.filter((v) => v.owner !== me && v.visible_to === 'everybody')
  const groups = [...new Set(items.filter((v) => v.owner !== me && v.visible_to !== 'everybody').map((v) => v.owner))]
  const all: [string, View[]][] = [
    ['Yours', own],
    ...groups.map((g): [string, View[]] => [shortRef(g), items.filter((v) => v.owner === g && v.visible_to !== 'everybody')]),
    ['Everybody’s', shared],
  ]
  return all.filter(([, of]) => of.length)
}

/** What is said of a view beside the table that it keeps. */
export const saidOf = ({ name, title, owner, visible_to }: View) => ({ name, title, owner, visible_to })
