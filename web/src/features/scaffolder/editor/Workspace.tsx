/** A golden path under edit: the files on one side, what comes of them on the other. */
import { Button, SegmentedControl } from '@mantine/core'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Copy, Download, FileDiff, GitPullRequestArrow } from 'lucide-react'
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { TemplateFiles } from '~/api/types'
import { FileBox } from '~/components/FileDiff'
import { notifyError } from '~/components/notify'
import { Skeletons } from '~/components/RouteStates'
import { EmptyState, PageHeader, Panel } from '~/ui/parts'
import { tarOf } from './archive'
import type { Goal } from './CodeEditor'
import s from './editor.module.css'
import { FileBar } from './FileBar'
import { opened, renamed, withText } from './files'
import { LeaveGuard } from './LeaveGuard'
import { Outcome } from './Outcome'
import { Problems } from './Problems'
import { ProposeModal } from './ProposeModal'
import { useWork } from './useWork'

const CodeEditor = lazy(() => import('./CodeEditor'))
const FormPreview = lazy(() => import('./FormPreview'))
const route = getRouteApi('/app/create/editor')
const HINT = 'template-editor-hint'

export function Workspace({ found, name }: { found: TemplateFiles; name: string }) {
  const search = route.useSearch()
  const nav = route.useNavigate()
  const show = search.show ?? 'form'
  const first = useMemo(() => opened(found.files), [found])
  const work = useWork(found.entry, first, show === 'result')
  const { now, change, changes } = work
  const [goal, setGoal] = useState<Goal>()
  const [isProposing, setProposing] = useState(false)
  const proposed = useRef(false)
  const isNew = search.as === 'new'
  const set = useCallback((p: Partial<typeof search>) => void nav({ search: (o) => ({ ...o, ...p }), replace: true }), [nav])
  const path = now.files.some((f) => f.path === search.file) ? (search.file ?? found.entry) : found.entry
  const file = now.files.find((f) => f.path === path)
  const findings = work.lint.data?.findings
  const here = useMemo(() => (findings ?? []).filter((f) => f.path === path), [findings, path])
  const copied = useRef(false)
  useEffect(() => {
    if (!isNew || copied.current) return
    copied.current = true // a copy begins under a name of its own
    const entry = now.files.find((f) => f.path === found.entry)
    if (entry?.text) change(withText(now.files, entry.path, renamed(entry.text)))
  }, [isNew, now, found.entry, change])
  const goTo = (at: string, line: number) => {
    set({ file: at })
    setGoal({ path: at, line })
  }
  const run = useCallback(() => set({ show: 'result' }), [set])
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.key !== 'Enter' || !(e.metaKey || e.ctrlKey) || e.defaultPrevented) return
      e.preventDefault()
      run()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [run])
  const download = () => {
    try {
      const url = URL.createObjectURL(new Blob(tarOf(now.files, name), { type: 'application/x-tar' }))
      Object.assign(document.createElement('a'), { href: url, download: `${name}.tar` }).click()
      URL.revokeObjectURL(url)
    } catch (e) {
      notifyError('The files could not be packed', e)
    }
  }
  const errors = (findings ?? []).filter((f) => f.level === 'error').length
  const canPropose = isNew || found.is_editable
  return (
    <>
      <PageHeader
        title={isNew ? `New from ${found.title}` : `Edit ${found.title}`}
        sub={<Where found={found} isNew={isNew} />}
        right={
          <>
            {!canPropose && <Button variant="default" leftSection={<Copy size={15} />} onClick={() => set({ as: 'new' })}>Make a new one from it</Button>}
            <Button variant="default" leftSection={<Download size={15} />} onClick={download}>Download</Button>
            <Button leftSection={<GitPullRequestArrow size={15} />} disabled={!canPropose || !changes.length} onClick={() => setProposing(true)}>Propose</Button>
          </>
        }
      />
      <div className={s.split}>
        <div className={s.left}>
          <section className={s.editor} aria-label="Files of the golden path">
            <FileBar entry={found.entry} path={path} work={work} findings={findings ?? []} onOpen={(p) => set({ file: p })} />
            {file?.text == null ? (
              <EmptyState icon={FileDiff} title="A binary file" compact>It is kept as it is.</EmptyState>
            ) : (
              <Suspense fallback={<div className={s.code}><Skeletons rows={8} /></div>}>
                <CodeEditor path={path} text={file.text} findings={here} goal={goal} describedBy={HINT} onChange={(text) => change(withText(now.files, path, text))} onRun={run} />
              </Suspense>
            )}
            <p id={HINT} className={s.hint}>Tab indents; Esc, then Tab leaves the text. Ctrl or ⌘ + Enter tries the result, F8 goes to the next problem.</p>
          </section>
          <Problems work={work} onOpen={goTo} />
        </div>
        <div className={s.right}>
          <SegmentedControl
            aria-label="What to show"
            fullWidth
            value={show}
            onChange={(v) => set({ show: v === 'form' ? undefined : (v as typeof search.show) })}
            data={[{ value: 'form', label: 'Form' }, { value: 'result', label: 'Result' }, { value: 'changes', label: changes.length ? `Changes, ${changes.length}` : 'Changes' }]}
          />
          {show === 'form' && <Suspense fallback={<Skeletons rows={6} />}><FormPreview work={work} onTry={run} /></Suspense>}
          {show === 'result' && <Outcome work={work} onForm={() => set({ show: undefined })} />}
          {show === 'changes' && (changes.length ? changes.map((f) => <FileBox key={f.path} file={f} />) : (
            <Panel><EmptyState icon={FileDiff} title="Nothing is changed yet" compact>What you change shows here before you propose it.</EmptyState></Panel>
          ))}
        </div>
      </div>
      {isProposing && <ProposeModal found={found} isNew={isNew} name={name} work={work} errors={errors} onClose={() => setProposing(false)} onDone={() => { proposed.current = true }} />}
      <LeaveGuard isDirty={() => changes.length > 0 && !proposed.current} />
    </>
  )
} // prettier-ignore

function Where({ found, isNew }: { found: TemplateFiles; isNew: boolean }) {
  const outside = found.reads_outside && ' It reads files outside of its folder, which the result here does not know.'
  if (isNew) return <>A copy under a name of your own. Nothing is written before you propose it.{outside}</>
  if (!found.is_editable) return <>{found.reason} {found.remedy} You can change and try it here, and download it.{outside}</>
  return <><Link className={s.link} to="/pulls" search={{ repository: found.repository ?? undefined }}>{found.repository}</Link>, {found.folder || 'at the top'}, on {found.branch}. Nothing is written before you propose it.{outside}</>
} // prettier-ignore
