/** What the template editor asks. Each question is about one revision of the files, and is dropped when there is a newer one. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { get, post } from './client'
import type * as T from './types'

const BASE = '/api/scaffolder/v1'

export const templateFilesQuery = (namespace: string, name: string) =>
  queryOptions({
    queryKey: ['template-files', namespace, name],
    queryFn: () => get<T.TemplateFiles>(`${BASE}/templates/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/files`),
    staleTime: Infinity, // what is edited does not change below one's hands
    gcTime: 0,
  })

const live = { placeholderData: keepPreviousData, retry: false, gcTime: 0, staleTime: Infinity }

export type Sent = { entry: string; files: T.DirectoryFile[] }
/** `revision` names the files, so that the key stays small. */
export const lintQuery = (session: string, revision: number, sent: () => Sent) =>
  queryOptions({
    queryKey: ['template-lint', session, revision],
    queryFn: ({ signal }) => post<T.LintAnswer>(`${BASE}/lint`, sent(), signal),
    ...live,
  })

export type Trial = { template: T.Json; values: T.Json; secrets: Record<string, string>; directoryContents: T.DirectoryFile[] }
export const dryRunQuery = (session: string, revision: number, answers: string, trial: () => Trial) =>
  queryOptions({
    queryKey: ['template-dry-run', session, revision, answers],
    queryFn: ({ signal }) => post<T.DryRun>('/api/scaffolder/v2/dry-run', trial(), signal),
    ...live,
  })

export const propose = (body: T.Proposal) => post<T.PullDetail>('/api/pulls/v1/proposals', body)
