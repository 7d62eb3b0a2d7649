import { ExternalLink, Inbox } from 'lucide-react'
import { lazy, Suspense } from 'react'
import type { Display } from '~/api/types'
import { LogPanel } from '~/components/LogPanel'
import { Skeletons } from '~/components/RouteStates'
import { DataTable } from '~/ui/DataTable'
import { Ago, EmptyState, Facts } from '~/ui/parts'
import { LineChart } from '~/ui/Sparkline'
import { Dot, toneOf } from '~/ui/Status'
import s from './displays.module.css'
import { columnsOf, factsOf, linksOf, listOf, markdownOf, seriesOf, textOf } from './shapes'

const Markdown = lazy(() => import('~/components/Markdown'))
const Nothing = () => (
  <EmptyState icon={Inbox} title="Nothing to show" compact>
    The plugin has no data for this yet.
  </EmptyState>
)
const Value = ({ value }: { value: unknown }) => {
  const text = textOf(value)
  return /^https?:\/\//.test(text) ? <a href={text} target="_blank" rel="noreferrer" className={s.a}>{text}</a> : <>{text}</> // prettier-ignore
}

function Table({ data, columns }: { data: unknown; columns?: string[] }) {
  const rows = listOf(data, 'rows')
  if (!rows.length) return <Nothing />
  const names = columnsOf(rows, columns)
  return (
    <DataTable
      label="Rows"
      rows={rows.slice(0, 200)}
      rowKey={(_, i) => i}
      columns={names.map((n, i) => ({
        title: n.replace(/_/g, ' '),
        head: i === 0,
        cell: (r: Record<string, unknown>) => <Value value={r[n]} />,
      }))}
    />
  )
}

function Timeline({ data }: { data: unknown }) {
  const items = listOf(data, 'events')
  if (!items.length) return <Nothing />
  return (
    <ol className={s.timeline}>
      {items.map((x, i) => (
        <li key={i}>
          <Dot tone={toneOf(textOf(x.state ?? x.status))} />
          <span style={{ flex: 1, minWidth: 0 }}>
            <span style={{ fontWeight: 500, display: 'block' }}>{textOf(x.title ?? x.text ?? x.type)}</span>
            {x.detail !== undefined && <span className="t2">{textOf(x.detail)}</span>}
          </span>
          <Ago at={(x.at ?? x.time) as number} className="t3" />
        </li>
      ))}
    </ol>
  )
}

function Chart({ data }: { data: unknown }) {
  const series = seriesOf(data)
  if (!series.length) return <Nothing />
  return (
    <>
      {series.map((x, i) => (
        <LineChart key={x.name} title={x.name} points={x.points} format={(v) => `${Number(v.toPrecision(3))}${x.unit ? ` ${x.unit}` : ''}`} color={`var(--ch-${(i % 6) + 1})`} />
      ))}
    </>
  ) // prettier-ignore
}

function Links({ data }: { data: unknown }) {
  const links = linksOf(data)
  if (!links.length) return <Nothing />
  return (
    <>
      {links.map((l) => (
        <a key={l.url} href={l.url} className={s.row} target={l.url.startsWith('/') ? undefined : '_blank'} rel="noreferrer">
          <ExternalLink size={14} aria-hidden className="t3" />
          {l.title}
        </a>
      ))}
    </>
  )
}

type Props = { display: Display; data: unknown; columns?: string[]; title: string }
/** The closed set of ways to draw. What a plugin wants beyond it is a new display of the portal, not code of the plugin. */
export function Drawing({ display, data, columns, title }: Props) {
  switch (display) {
    case 'table':
      return <Table data={data} columns={columns} />
    case 'facts': {
      const facts = factsOf(data)
      return facts.length ? (
        <Facts items={facts.map(([k, v]) => [k.replace(/_/g, ' '), <Value key={k} value={v} />])} />
      ) : (
        <Nothing />
      )
    }
    case 'chart':
      return <Chart data={data} />
    case 'timeline':
      return <Timeline data={data} />
    case 'links':
      return <Links data={data} />
    case 'log':
      return (
        <div style={{ height: 320 }}>
          <LogPanel title={null} name={title} label={title} lines={listOf(data, 'lines').map((l, i) => ({ seq: i, at: l.at as number, text: textOf(l.text ?? l.value) }))} />
        </div>
      ) // prettier-ignore
    case 'markdown':
      return (
        <div style={{ padding: 16 }}>
          <Suspense fallback={<Skeletons rows={3} />}>
            <Markdown text={markdownOf(data)} />
          </Suspense>
        </div>
      )
    default:
      return (
        <EmptyState icon={Inbox} title="This portal cannot draw it" compact>
          The plugin asks for the display “{String(display)}”. Update Taxiway, or use one that it knows.
        </EmptyState>
      )
  }
}
