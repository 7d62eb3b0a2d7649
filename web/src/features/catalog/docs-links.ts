/** Where a relative link of a docs page leads inside the same site; undefined for links that leave it. */
export function resolveDoc(from: string, href: string): { page: string; hash?: string } | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(href) || href.startsWith('//') || href.startsWith('/')) return undefined
  const [target = '', hash] = href.split('#')
  if (!target) return undefined
  const parts = from.split('/').slice(0, -1)
  for (const p of target.split('/')) {
    if (p === '..') parts.pop()
    else if (p !== '.' && p !== '') parts.push(p)
  }
  return { page: parts.join('/'), hash }
}
