import type { LucideIcon } from 'lucide-react'
import type { CSSProperties, ReactNode } from 'react'
import { ago, exact } from './time'
import s from './ui.module.css'

export const Page = ({ children, wide }: { children: ReactNode; wide?: boolean }) => (
  <div className={s.page} style={wide ? { maxWidth: 'none' } : undefined}>
    {children}
  </div>
)

type HeaderProps = { title: ReactNode; sub?: ReactNode; right?: ReactNode; icon?: ReactNode }
export function PageHeader({ title, sub, right, icon }: HeaderProps) {
  return (
    <header className={s.head}>
      {icon}
      <div style={{ flex: 1, minWidth: 0 }}>
        <h1>{title}</h1>
        {sub && <div className={s.sub}>{sub}</div>}
      </div>
      {right && <div className={s.headRight}>{right}</div>}
    </header>
  )
}

type PanelProps = {
  title?: ReactNode
  right?: ReactNode
  children: ReactNode
  style?: CSSProperties
  pad?: number
  icon?: LucideIcon
}
export function Panel({ title, right, children, style, pad = 0, icon: Icon }: PanelProps) {
  return (
    <section className={s.card} style={style}>
      {title && (
        <div className={s.cardHead}>
          {Icon && <Icon size={15} style={{ color: 'var(--c-text-3)' }} aria-hidden />}
          <h2>{title}</h2>
          <span style={{ flex: 1 }} />
          {right}
        </div>
      )}
      <div style={{ padding: pad }}>{children}</div>
    </section>
  )
}

type EmptyProps = {
  icon: LucideIcon
  title: string
  children?: ReactNode
  action?: ReactNode
  compact?: boolean
  /** It is all that the page shows, so its title is the page's heading. */
  page?: boolean
}
export function EmptyState({ icon: Icon, title, children, action, compact, page }: EmptyProps) {
  return (
    <div className={s.empty} data-compact={compact || undefined}>
      <span className={s.emptyIcon}>
        <Icon size={19} aria-hidden />
      </span>
      {page ? <h1 className={s.emptyTitle}>{title}</h1> : <div className={s.emptyTitle}>{title}</div>}
      <div style={{ maxWidth: 420 }}>{children}</div>
      {action && <div style={{ marginTop: 10 }}>{action}</div>}
    </div>
  )
}

export const Ago = ({ at, className }: { at: number | string | null | undefined; className?: string }) => (
  <time className={`num ${className ?? ''}`} style={{ whiteSpace: 'nowrap' }} title={exact(at)}>
    {ago(at)}
  </time>
)

export function Facts({ items }: { items: [ReactNode, ReactNode][] }) {
  return (
    <dl className={s.facts}>
      {items.map(([k, v], i) => (
        <div key={i}>
          <dt>{k}</dt>
          <dd>{v}</dd>
        </div>
      ))}
    </dl>
  )
}

export const CodeBlock = ({ code, label }: { code: string; label?: string }) => (
  <pre className={s.code} tabIndex={0} aria-label={label}>
    <code>{code}</code>
  </pre>
)

export const Cli = ({ children }: { children: string }) => <code className={s.cli}>{children}</code>
