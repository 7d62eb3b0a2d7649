import { withQuery } from '~/api/client'
import type { View } from '~/api/types'
import type { CatalogSearch } from '~/routes'
import { filterOf } from '../catalog-filter'
import { RUNNING } from '../columns'

/** Where the table's rows come from as a file; none for what only a saved view can say. */
export function exportPath(search: CatalogSearch, view: View | undefined): string | undefined {
  const base = '/api/catalog/v1/export'
  if (view) return withQuery(base, { format: 'csv', view: view.id })
  if (search.q || search.query) return undefined
  const columns = search.columns?.filter((path) => path !== RUNNING)
  const fields = columns?.length ? ['kind', 'metadata.name', ...columns] : undefined
  return withQuery(base, { format: 'csv', filter: filterOf(search), fields })
}
