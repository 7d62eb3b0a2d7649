// Half-filled forms of golden paths
import { queryOptions } from '@tanstack/react-query'
import { del, get, post, put } from './client'
import type * as T from './types'

const BASE = '/api/scaffolder/v1/drafts'
export const draftsQuery = () => queryOptions({ queryKey: ['drafts'], queryFn: () => get<T.List<T.Draft>>(BASE), retry: false })
export const draftQuery = (id: string) =>
  queryOptions({
    queryKey: ['drafts', id],
    queryFn: () => get<T.Draft>(`${BASE}/${encodeURIComponent(id)}`),
    staleTime: Infinity, // the form goes on from it; another look must not take its answers away
    gcTime: 0,
  })
export type DraftAnswers = { values: T.Json; reached: number; wizard_id: string }
export const saveDraft = (templateRef: string, kept: T.Draft | undefined, answers: DraftAnswers) =>
  kept
    ? put<T.Draft>(`${BASE}/${kept.id}`, { ...answers, version: kept.version })
    : post<T.Draft>(BASE, { template_ref: templateRef, ...answers })
export const handOver = (kept: T.Draft, to: string, note: string) =>
  post<T.Draft>(`${BASE}/${kept.id}/hand-over`, { to, note, version: kept.version })
export const dropDraft = (id: string) => del(`${BASE}/${id}`)

/** Tells which page of a form is on screen, so that figures show where forms are given up. Nobody waits for it. */
export const tellPage = (wizard: string, templateRef: string, page: number) =>
  put<void>(`/api/scaffolder/v1/wizards/${encodeURIComponent(wizard)}`, { template_ref: templateRef, page }).catch(
    () => undefined,
  )
