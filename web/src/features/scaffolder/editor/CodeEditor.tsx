/** CodeMirror over one file at a time: lines with problems are marked, and each file keeps its own history of changes. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search'
import { EditorState, type Extension, type Text } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view'
import { type RefObject, useEffect, useRef } from 'react'
import type { LintFinding } from '~/api/types'
import { colours, expressions, look } from './code-look'
import s from './editor.module.css'

/** A line to go to; another object goes there again. */
export type Goal = { path: string; line: number }
type Props = {
  path: string
  text: string
  /** What is on a line of this file. */
  findings: LintFinding[]
  goal: Goal | undefined
  describedBy: string
  onChange: (text: string) => void
  onRun: () => void
}

const SEVERITY = { error: 'error', warning: 'warning', note: 'info' } as const

const diagnosticsOf = (doc: Text, findings: LintFinding[]): Diagnostic[] =>
  findings.map((f) => {
    const line = doc.line(Math.min(Math.max(f.line ?? 1, 1), doc.lines))
    const from = line.from + (line.text.length - line.text.trimStart().length)
    return {
      from,
      to: Math.max(line.to, from),
      severity: SEVERITY[f.level],
      message: `${f.message}. ${f.remedy}`,
      source: f.code,
    }
  })

/** Breaks of lines stay as they are: a text that is only looked at comes out as it went in. */
const breaks = (text: string): Extension => {
  if (!text.includes('\r')) return []
  const isAlike = !/\r(?!\n)|(?<!\r)\n/.test(text)
  return EditorState.lineSeparator.of(isAlike ? '\r\n' : '\n') // where they differ, \r is a part of its line
}
const pasted = EditorView.clipboardInputFilter.of((text, state) => text.replace(/\r\n?|\n/g, state.lineBreak))
export const stateOf = (doc: string, more: Extension = []) => EditorState.create({ doc, extensions: [breaks(doc), pasted, more] })

export default function CodeEditor(props: Props) {
  const { path, text, findings, goal } = props
  const box = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(null)
  const states = useRef(new Map<string, EditorState>())
  const latest = useRef(props)
  useEffect(() => {
    latest.current = props
  })
  useEffect(() => {
    if (!box.current) return
    const made = new EditorView({ parent: box.current })
    view.current = made
    return () => made.destroy()
  }, [])
  useEffect(() => {
    const [made, kept] = [view.current, states.current]
    const known = kept.get(path)
    const doc = latest.current.text
    made?.setState(known?.sliceDoc() === doc ? known : stateOf(doc, extensions(path, latest)))
    return () => {
      if (made) kept.set(path, made.state)
    }
  }, [path])
  useEffect(() => {
    const made = view.current
    if (made && made.state.sliceDoc() !== text) made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: text } })
  }, [text])
  useEffect(() => {
    const made = view.current
    if (made) made.dispatch(setDiagnostics(made.state, diagnosticsOf(made.state.doc, findings)))
  }, [findings, path])
  useEffect(() => {
    const made = view.current
    if (!made || goal?.path !== path) return
    const line = made.state.doc.line(Math.min(Math.max(goal.line, 1), made.state.doc.lines))
    const effects = EditorView.scrollIntoView(line.from, { y: 'center' })
    made.dispatch({ selection: { anchor: line.from, head: line.to }, effects })
    made.focus()
  }, [goal, path])
  return <div ref={box} className={s.code} />
}

function extensions(path: string, latest: RefObject<Props>): Extension {
  const isYaml = /\.ya?ml$/.test(path)
  return [
    lineNumbers(),
    lintGutter(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    isYaml ? yaml() : [],
    syntaxHighlighting(colours),
    expressions,
    look,
    EditorState.tabSize.of(4),
    EditorView.contentAttributes.of({
      'aria-label': `Text of ${path}`,
      'aria-describedby': latest.current.describedBy,
      tabindex: '0',
      spellcheck: 'false',
    }),
    keymap.of([
      {
        key: 'Mod-Enter',
        run: () => {
          latest.current.onRun()
          return true
        },
      },
      ...defaultKeymap.filter((k) => k.key !== 'Mod-Enter'),
      ...historyKeymap,
      ...searchKeymap,
      ...lintKeymap,
      indentWithTab,
    ]),
    EditorView.updateListener.of((u) => {
      const text = u.state.sliceDoc()
      if (u.docChanged && text !== latest.current.text) latest.current.onChange(text)
    }),
  ]
}
