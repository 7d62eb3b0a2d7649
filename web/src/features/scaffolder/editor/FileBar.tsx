/** Which file is open, with what is wrong in each, and the ways to add, rename and remove one. */
import { ActionIcon, Button, Menu, Modal, Select, TextInput } from '@mantine/core'
import { Ellipsis, FilePlus2, Pencil, Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { LintFinding } from '~/api/types'
import s from './editor.module.css'
import { isSame, pathProblem, withFile } from './files'
import type { Work } from './useWork'

type Props = { entry: string; path: string; work: Work; findings: LintFinding[]; onOpen: (path: string) => void }
export function FileBar({ entry, path, work, findings, onOpen }: Props) {
  const [asking, setAsking] = useState<'new' | 'rename'>()
  const { files } = work.now
  const told = (of: string) => {
    const [errors, others] = [true, false].map((is) => findings.filter((f) => f.path === of && (f.level === 'error') === is).length)
    const old = work.original.files.find((f) => f.path === of)
    const file = files.find((f) => f.path === of)
    return { errors, others, mark: !old ? 'new' : file && !isSame(old, file) ? 'changed' : '' }
  }
  const place = (at: string) => {
    const file = files.find((f) => f.path === path)
    if (asking === 'new') work.change(withFile(files, { path: at, text: '', base64: null, executable: false }))
    else if (file) work.change(withFile(files.filter((f) => f !== file), { ...file, path: at })) // prettier-ignore
    setAsking(undefined)
    onOpen(at)
  }
  return (
    <div className={s.bar}>
      <Select
        aria-label="File"
        className={s.file}
        data={files.map((f) => f.path)}
        value={path}
        onChange={(v) => v && onOpen(v)}
        allowDeselect={false}
        searchable
        maxDropdownHeight={420}
        nothingFoundMessage="No file of this name"
        renderOption={({ option }) => {
          const { errors, others, mark } = told(option.value)
          return (
            <span className={s.option}>
              <span className="mono trunc">{option.value}</span>
              {mark && <span className="t2">{mark}</span>}
              {Boolean(errors) && <span className={s.bad}>{errors} wrong</span>}
              {!errors && Boolean(others) && <span className="t2">{others} to look at</span>}
            </span>
          )
        }}
      />
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon aria-label="Files: add, rename, remove" size={32} variant="default"><Ellipsis size={16} /></ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<FilePlus2 size={14} />} onClick={() => setAsking('new')}>New file…</Menu.Item>
          <Menu.Item leftSection={<Pencil size={14} />} disabled={path === entry} onClick={() => setAsking('rename')}>Rename…</Menu.Item>
          <Menu.Item leftSection={<Trash2 size={14} />} disabled={path === entry} onClick={() => { work.change(files.filter((f) => f.path !== path)); onOpen(entry) }}>Remove from the golden path</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asking && <PathModal title={asking === 'new' ? 'New file' : `Rename ${path}`} start={asking === 'new' ? `${path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : 'skeleton/'}` : path} problem={(at) => pathProblem(at, files)} onDone={place} onClose={() => setAsking(undefined)} />}
    </div>
  )
} // prettier-ignore

type PathProps = {
  title: string
  start: string
  problem: (path: string) => string | undefined
  onDone: (path: string) => void
  onClose: () => void
}
function PathModal({ title, start, problem, onDone, onClose }: PathProps) {
  const [path, setPath] = useState(start)
  const [tried, setTried] = useState(false)
  const wrong = problem(path)
  const submit = () => {
    setTried(true)
    if (!wrong) onDone(path)
  }
  return (
    <Modal opened onClose={onClose} title={title}>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          submit()
        }}
      >
        <TextInput
          label="Path"
          description="Beside template.yaml. Expressions work in names too, such as skeleton/${{ values.name }}.txt"
          value={path}
          error={tried && wrong}
          onChange={(e) => setPath(e.currentTarget.value)}
          data-autofocus
          autoComplete="off"
        />
        <div className={s.foot}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit">Done</Button>
        </div>
      </form>
    </Modal>
  )
}
