/** Entities changed where they are written, and new ones written into repositories. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { get, post, postIf } from './client'
import type { RefParts } from './refs'
import type * as T from './types'

const BASE = '/api/catalog/v1/edits'
const one = (p: RefParts) =>
  `${BASE}/${encodeURIComponent(p.kind)}/${encodeURIComponent(p.namespace)}/${encodeURIComponent(p.name)}`
/** Whether to open a pull request, or to commit. */
export type How = 'pull' | 'commit'

export const entitySourceQuery = (p: RefParts) =>
  queryOptions({
    queryKey: ['entity', p.kind, p.namespace, p.name, 'source'],
    queryFn: () => get<T.EntitySource>(one(p)),
    staleTime: Infinity, // what is edited does not change below one's hands
    gcTime: 0,
  })
export const editFormQuery = (kind: string) =>
  queryOptions({
    queryKey: ['edit-form', kind],
    queryFn: () => get<T.EditForm>(`${BASE}/form`, { kind }),
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  })

/** What a change would do; asked again for each change, and kept on show while the next answer is on its way. */
const preview = { placeholderData: keepPreviousData, retry: false, gcTime: 0 }
export const editPreviewQuery = (p: RefParts, body: T.EditBody) =>
  queryOptions({
    queryKey: ['edit-preview', p, body],
    queryFn: () => post<T.EditPreview>(`${one(p)}/preview`, body),
    ...preview,
  })
export const additionPreviewQuery = (body: T.AdditionBody) =>
  queryOptions({
    queryKey: ['addition-preview', body],
    queryFn: () => post<T.EditPreview>(`${BASE}/preview`, body),
    ...preview,
  })

/** As long as the file is the one of `etag`. */
export const editEntity = (p: RefParts, etag: string, body: T.EditBody & { how: How }) =>
  postIf<T.EditOutcome>(etag, one(p), body)
export const addEntity = (etag: string, body: T.AdditionBody & { how: How }) => postIf<T.EditOutcome>(etag, BASE, body)
