/** Saved views of the catalog. */
import { queryOptions } from '@tanstack/react-query'
import { del, get, post, put, putIf } from './client'
import type * as T from './types'

const BASE = '/api/catalog/v1/views'
const one = (id: string) => `${BASE}/${encodeURIComponent(id)}`
/** As many as the server gives at once: the menu shows no more, and says so. */
export const viewsQuery = () =>
  queryOptions({
    queryKey: ['views'],
    queryFn: () => get<T.List<T.View>>(BASE, { limit: 500 }),
    staleTime: 60_000,
    retry: false,
  })
/** One that the list may not have, by the id of a link or by its name. */
export const viewQuery = (id: string) =>
  queryOptions({ queryKey: ['views', id], queryFn: () => get<T.View>(one(id)), staleTime: 60_000, retry: false })

export const createView = (body: T.ViewBody) => post<T.View>(BASE, body)
export const updateView = (view: T.View, body: T.ViewBody) => putIf<T.View>(view.version, one(view.id), body)
export const removeView = (view: T.View) => del<void>(one(view.id))
export const openWithView = (view: T.View, on: boolean) => (on ? put<void>(`${one(view.id)}/default`) : del<void>(`${one(view.id)}/default`)) // prettier-ignore
