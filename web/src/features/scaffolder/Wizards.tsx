/** Forms of golden paths: how many were opened, what came of them, and on which page they are given up. */
import { ClipboardList } from 'lucide-react'
import type { GoldenPath } from '~/api/types'
import { EntityLink } from '~/components/EntityLink'
import { DataTable } from '~/ui/DataTable'
import { Panel } from '~/ui/parts'
import { count } from '~/ui/time'

const share = (part: number, whole: number) => (whole ? `${count(part)} (${Math.round((part / whole) * 100)} %)` : '—')

/** The page where most go no further; null where nobody gave up. */
const worst = ({ wizards: w }: GoldenPath) =>
  w.pages.reduce<(typeof w.pages)[number] | null>((most, p) => (p.abandoned > (most?.abandoned ?? 0) ? p : most), null)

export function Wizards({ paths, chosen }: { paths: GoldenPath[]; chosen: string | undefined }) {
  const one = paths.find((p) => p.template === chosen)
  const used = (one ? [one] : paths).filter((p) => p.wizards.opened > 0)
  if (!used.length) return null
  return (
    <Panel title={one ? 'Its form, page by page' : 'Forms, and where they are given up'} icon={ClipboardList} right={<span className="t2">last 90 days</span>} style={{ marginTop: 16 }}>
      {one ? (
        <DataTable
          label="Pages of the form"
          rows={one.wizards.pages}
          rowKey={(p) => String(p.page)}
          columns={[
            { title: 'Page', head: true, cell: (p) => p.title },
            { title: 'Came to it', className: 'num', cell: (p) => share(p.reached, one.wizards.opened) },
            { title: 'Gave up there', className: 'num', cell: (p) => share(p.abandoned, p.reached) },
          ]}
        />
      ) : (
        <DataTable
          label="Forms of golden paths"
          rows={used}
          rowKey={(p) => p.template}
          columns={[
            { title: 'Golden path', head: true, cell: (p) => <EntityLink entity={p.template} /> },
            { title: 'Opened', className: 'num', cell: (p) => count(p.wizards.opened) },
            { title: 'Created', className: 'num', cell: (p) => share(p.wizards.tasks, p.wizards.opened) },
            { title: 'Kept for later', className: 'num', cell: (p) => count(p.wizards.drafts) },
            { title: 'Given up', className: 'num', cell: (p) => share(p.wizards.abandoned, p.wizards.opened) },
            { title: 'Most on', className: 't2', cell: (p) => worst(p)?.title ?? '—' },
          ]}
        />
      )}
    </Panel>
  )
} // prettier-ignore
