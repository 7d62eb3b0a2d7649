import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { environmentsQuery, matrixQuery } from '~/api/queries'

const route = getRouteApi('/app/catalog/$kind/$namespace/$name')

/** The environment that a tab looks at: the URL's, else the first one where the service is deployed. */
export function useEnvironment(service: string) {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const { data } = useQuery(environmentsQuery())
  const { data: matrix } = useQuery({ ...matrixQuery(), retry: false })
  const all = data?.items ?? []
  const cells = matrix?.services.find((r) => r.ref === service)?.cells ?? {}
  const environment = search.environment ?? all.find((e) => cells[e.name])?.name ?? all[0]?.name
  const control = environment && (
    <SegmentedControl
      value={environment}
      aria-label="Environment"
      data={all.map((e) => ({ value: e.name, label: e.title }))}
      onChange={(v) => void nav({ search: (o) => ({ ...o, environment: v, workload: undefined }), replace: true })}
    />
  )
  return { environment, control }
}
