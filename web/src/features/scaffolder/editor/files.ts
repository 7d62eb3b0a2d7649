/** The files under edit: values, and what is sent of them. */
import type { DirectoryFile, ProposalFile, PullFile, TemplateFile } from '~/api/types'
import { patchOf } from './diff-lines'

/** `text` is null for bytes that are none: they are kept as they are. */
export type EditorFile = { path: string; text: string | null; base64: string | null; executable: boolean }

export const opened = (files: TemplateFile[]): EditorFile[] =>
  files.map((f) => ({ path: f.path, text: f.text, base64: f.content_base64, executable: f.executable }))

export const bytesOf = (file: EditorFile): Uint8Array =>
  file.text === null ? Uint8Array.from(atob(file.base64 ?? ''), (c) => c.charCodeAt(0)) : new TextEncoder().encode(file.text)

function base64Of(file: EditorFile): string {
  if (file.text === null) return file.base64 ?? ''
  let raw = ''
  for (const byte of bytesOf(file)) raw += String.fromCharCode(byte)
  return btoa(raw)
}

export const directoryOf = (files: EditorFile[]): DirectoryFile[] =>
  files.map((f) => ({ path: f.path, base64Content: base64Of(f), executable: f.executable }))

export const withText = (files: EditorFile[], path: string, text: string): EditorFile[] =>
  files.map((f) => (f.path === path ? { ...f, text } : f))

/** Sorted, so that a new file stands where it will be. */
export const withFile = (files: EditorFile[], file: EditorFile): EditorFile[] =>
  [...files, file].sort((a, b) => (a.path < b.path ? -1 : 1))

export const isSame = (a: EditorFile, b: EditorFile) =>
  a.text === b.text && a.base64 === b.base64 && a.executable === b.executable

/** Why a path cannot be one of a new file; undefined when it can. */
export function pathProblem(path: string, files: EditorFile[]): string | undefined {
  const parts = path.split('/')
  if (!path.trim()) return 'Write where the file is to be, such as skeleton/README.md'
  if (path.startsWith('/') || parts.some((x) => x === '' || x === '.' || x === '..'))
    return 'Use a path below this folder, without . and ..'
  if (parts.includes('.git')) return '.git is no part of a template'
  if (files.some((f) => f.path === path)) return 'There is a file of this name'
  if (files.some((f) => f.path.startsWith(`${path}/`) || path.startsWith(`${f.path}/`))) return 'A file cannot be a folder too'
  return undefined
}

/** What is different from `before`, as files of a change. Files that are the same are left out. */
export function changesOf(before: EditorFile[], now: EditorFile[]): PullFile[] {
  const [old, fresh] = [new Map(before.map((f) => [f.path, f])), new Map(now.map((f) => [f.path, f]))]
  return [...new Set([...old.keys(), ...fresh.keys()])].sort().flatMap((path) => {
    const [a, b] = [old.get(path), fresh.get(path)]
    return a && b && isSame(a, b) ? [] : [change(path, a, b)]
  })
}

function change(path: string, a: EditorFile | undefined, b: EditorFile | undefined): PullFile {
  const isBinary = a?.text === null || b?.text === null
  const found = isBinary ? undefined : patchOf(a?.text ?? '', b?.text ?? '')
  return {
    path,
    previous_path: null,
    status: a ? (b ? 'modified' : 'removed') : 'added',
    additions: found?.additions ?? 0,
    deletions: found?.deletions ?? 0,
    is_binary: isBinary,
    is_cut: found?.patch === null,
    patch: found?.patch ?? null,
  }
}

/** The files of a pull request, below `folder` of the repository. */
export function proposalOf(before: EditorFile[], now: EditorFile[], folder: string): ProposalFile[] {
  const at = (path: string) => (folder ? `${folder}/${path}` : path)
  return changesOf(before, now).map(({ path }): ProposalFile => {
    const file = now.find((f) => f.path === path)
    if (!file) return { path: at(path), executable: false }
    const content = file.text === null ? { content_base64: file.base64 ?? '' } : { content: file.text }
    return { path: at(path), executable: file.executable, ...content }
  })
}

/** The template's text under a name of its own; the rest stays as it is written. */
export function renamed(text: string): string {
  const [head, ...rest] = text.split(/^(?=spec:)/m)
  const named = (head ?? '')
    .replace(/^(\s+name:\s*)(['"]?)([\w.-]+)\2/m, '$1$2my-$3$2')
    .replace(/^(\s+title:\s*)(['"]?)(.+?)\2[ \t]*$/m, (_, key: string, quote: string, title: string) => `${key}${quote}My ${title.charAt(0).toLowerCase()}${title.slice(1)}${quote}`) // prettier-ignore
  return [named, ...rest].join('')
}
