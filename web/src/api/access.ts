/** Queries of the sign-in page and of the settings: who may come in, who may what, how it is set up. */
import { queryOptions } from '@tanstack/react-query'
import { get } from './client'
import { pagedQuery } from './paged'
import type * as T from './types'

export const waysQuery = () =>
  queryOptions({ queryKey: ['ways'], queryFn: () => get<T.SignInWays>('/api/access/v1/ways'), staleTime: 300_000 })
export const tokensQuery = () => pagedQuery<T.Token>(['tokens'], '/api/access/v1/tokens')
export const rolesQuery = () => pagedQuery<T.RoleOf>(['roles'], '/api/access/v1/roles')
export const configQuery = () =>
  queryOptions({ queryKey: ['config'], queryFn: () => get<T.List<T.ConfigItem>>('/api/system/v1/config') })
