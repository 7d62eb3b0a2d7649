import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { BookOpen } from 'lucide-react'
import { Fragment, type MouseEvent } from 'react'
import { asApiError } from '~/api/errors'
import { docsPageQuery, docsSiteQuery } from '~/api/queries'
import { splitRef } from '~/api/refs'
import { Await } from '~/components/RouteStates'
import md from '~/components/shared.module.css'
import { EmptyState, Panel } from '~/ui/parts'
import s from './docs.module.css'
import { resolveDoc } from './docs-links'
import type { TabProps } from './EntityPage'

const route = getRouteApi('/app/catalog/$kind/$namespace/$name')

export default function DocsTab({ entityRef }: TabProps) {
  const parts = splitRef(entityRef)
  const search = route.useSearch()
  const nav = route.useNavigate()
  const site = useQuery(docsSiteQuery(parts))
  const path = search.page ?? site.data?.nav[0]?.path ?? ''
  const page = useQuery(docsPageQuery(parts, path))
  if (asApiError(site.error ?? '').status === 404)
    return (
      <EmptyState icon={BookOpen} title="No docs yet">
        Put Markdown into <code className="mono">docs/</code> of the repository and name it in{' '}
        <code className="mono">mkdocs.yml</code>; the next push shows it here.
      </EmptyState>
    )
  const follow = (e: MouseEvent) => {
    const href = (e.target as HTMLElement).closest('a')?.getAttribute('href')
    const to = href ? resolveDoc(path, href) : undefined
    if (!to || e.metaKey || e.ctrlKey) return
    e.preventDefault()
    void nav({ search: (o) => ({ ...o, page: to.page }), hash: to.hash })
  }
  return (
    <Await query={site}>
      {({ nav: pages, commit }) => (
        <div className={s.layout}>
          <nav className={s.pages} aria-label="Pages of these docs">
            {pages.map((p, i) => (
              <Fragment key={p.path}>
              {p.section && p.section !== pages[i - 1]?.section && <span className={s.section}>{p.section}</span>}
              <Link to="." search={(o) => ({ ...o, page: p.path })} className={s.pageLink} aria-current={p.path === path ? 'page' : undefined} data-on={p.path === path || undefined}>
                {p.title}
              </Link>
              </Fragment>
            ))}
            {commit && <span className="t3 mono" style={{ padding: '8px', fontSize: 11.5 }}>at {commit.slice(0, 8)}</span>}
          </nav>
          <Panel pad={24}>
            <Await query={page} rows={8}>
              {/* the server renders and sanitises */}
              {(p) => <article className={md.md} onClick={follow} dangerouslySetInnerHTML={{ __html: p.html }} />}
            </Await>
          </Panel>
          <nav className={s.toc} aria-label="On this page">
            {page.data?.toc.filter((t) => t.level > 1 && t.level < 4).map((t) => (
              <a key={t.id} href={`#${t.id}`} style={{ paddingLeft: (t.level - 2) * 12 }}>{t.text}</a>
            ))}
          </nav>
        </div>
      )}
    </Await>
  ) // prettier-ignore
}
