/** Proposes the changed files as a pull request of the repository that holds the golden path, or is to hold it. */
import { Button, Modal, Select, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { GitPullRequestArrow } from 'lucide-react'
import { useState } from 'react'
import { ApiError, asApiError } from '~/api/errors'
import { newId } from '~/api/ids'
import { repositoriesQuery } from '~/api/queries'
import { propose, templateFilesQuery } from '~/api/template-editor'
import type { TemplateFiles } from '~/api/types'
import { Refusal } from '~/components/Refusal'
import { useRefresh } from '~/components/RouteStates'
import s from './editor.module.css'
import { changesOf, opened, proposalOf } from './files'
import type { Work } from './useWork'

type Props = {
  found: TemplateFiles
  isNew: boolean
  name: string
  work: Work
  errors: number
  onClose: () => void
  onDone: () => void
}

export function ProposeModal({ found, isNew, name, work, errors, onClose, onDone }: Props) {
  const nav = useNavigate()
  const client = useQueryClient()
  const refresh = useRefresh()
  const repositories = useQuery({ ...repositoriesQuery(), enabled: isNew })
  const entry = work.now.files.find((f) => f.path === found.entry)
  const own = isNew ? (/^\s+name:\s*['"]?([\w.-]+)/m.exec(entry?.text ?? '')?.[1] ?? name) : name
  const [repository, setRepository] = useState(isNew ? null : found.repository)
  const [folder, setFolder] = useState(isNew ? `golden-paths/${own}` : (found.folder ?? ''))
  const [title, setTitle] = useState(isNew ? `Add the golden path ${own}` : `Change the golden path ${name}`)
  const [body, setBody] = useState('')
  const at = folder.trim().replace(/^\/+|\/+$/g, '')
  const files = proposalOf(isNew ? [] : work.original.files, work.now.files, at)
  const place = `git:${repository ?? 'REPOSITORY'}//${at}/${found.entry}`
  const told = isNew ? `\n\nOnce it is merged, register it with trust: \`taxiway catalog register ${place} --trust\`` : ''

  const send = async (commit: string | null) => propose({
    repository: repository ?? '',
    head: `taxiway/template-${own.slice(0, 40)}-${newId().slice(0, 8)}`,
    base_sha: commit,
    title,
    body: `${body}${told}`.trim(),
    draft: false,
    files,
  }) // prettier-ignore
  const make = useMutation({
    mutationFn: async () => {
      try {
        return await send(isNew ? null : found.commit)
      } catch (e) {
        if (asApiError(e).code !== 'pulls.base_moved') throw e
      }
      // Something else in the repository moved on: these files may be the same.
      const [namespace, inner] = found.ref.replace(/^template:/, '').split('/')
      const fresh = await client.fetchQuery({ ...templateFilesQuery(namespace ?? '', inner ?? ''), staleTime: 0 })
      const moved = changesOf(work.original.files, opened(fresh.files)).map((f) => f.path)
      if (moved.length)
        throw new ApiError(409, `Somebody changed ${moved.slice(0, 3).join(', ')} since you opened it: download your files, then open it again.`, 'scaffolder.files_moved')
      return send(fresh.commit)
    },
    onSuccess: async (made) => {
      onDone()
      await refresh('pulls')
      return nav({ to: '/pulls/$repository/$number', params: { repository: made.repository, number: String(made.number) } })
    },
  }) // prettier-ignore
  const isReady = repository && title.trim() && !errors && work.isJudged && (!isNew || at)
  return (
    <Modal opened onClose={onClose} title={isNew ? 'Propose a new golden path' : 'Propose the change'} size={560}>
      <div className={s.fields}>
        {isNew && (
          <>
            <Select label="Repository" required searchable data={(repositories.data?.items ?? []).map((r) => r.name)} value={repository} onChange={setRepository} nothingFoundMessage={repositories.data?.items.length === 0 ? 'There is no repository yet: create one first' : 'No repository of this name'} error={repositories.error ? `The repositories could not be listed: ${asApiError(repositories.error).detail}` : undefined} openOnFocus={false} data-autofocus />
            <TextInput label="Folder" required value={folder} onChange={(e) => setFolder(e.currentTarget.value)} description="Where it is to be in the repository" />
          </>
        )}
        <TextInput label="Title" required maxLength={200} value={title} onChange={(e) => setTitle(e.currentTarget.value)} data-autofocus={isNew ? undefined : true} />
        <Textarea label="Why" autosize minRows={2} value={body} maxLength={10_000} onChange={(e) => setBody(e.currentTarget.value)} />
        <p className="t2" style={{ margin: 0 }}>
          {isNew ? (files.length === 1 ? 'One file is added.' : `${files.length} files are added.`) : files.length === 1 ? 'One file is different.' : `${files.length} files are different.`}{' '}
          {isNew ? <>Templates come from trusted places only. Once it is merged: <code className="mono">taxiway catalog register {place} --trust</code></> : 'The catalog follows when it is merged, and services made from it can be upgraded.'}
        </p>
        {errors > 0 && <p className={s.bad} role="alert">{errors === 1 ? 'One error is left: correct it first.' : `${errors} errors are left: correct them first.`}</p>}
        <Refusal error={make.error} />
      </div>
      <div className={s.foot}>
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button leftSection={<GitPullRequestArrow size={15} />} disabled={!isReady} loading={make.isPending} onClick={() => make.mutate()}>Open a pull request</Button>
      </div>
    </Modal>
  )
} // prettier-ignore
