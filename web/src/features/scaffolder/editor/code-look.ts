/** The editor in the portal's colours, which follow light and dark by themselves. */
import { HighlightStyle } from '@codemirror/language'
import { Decoration, type DecorationSet, EditorView, MatchDecorator, ViewPlugin, type ViewUpdate } from '@codemirror/view'
import { tags } from '@lezer/highlight'

export const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--s-fn)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--s-str)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--s-com)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--s-num)' },
  { tag: [tags.keyword, tags.meta, tags.labelName, tags.typeName], color: 'var(--s-kw)' },
])

const mark = new MatchDecorator({
  regexp: /\$\{\{.*?\}\}|\{[%#].*?[%#]\}/g,
  decoration: Decoration.mark({ class: 'cm-expression' }),
})
/** What the template engine replaces, in any kind of file. */
export const expressions = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = mark.createDeco(view)
    }
    update(update: ViewUpdate) {
      this.decorations = mark.updateDeco(update, this.decorations)
    }
  },
  { decorations: (plugin) => plugin.decorations },
)

const below = (colour: string) => ({ backgroundImage: 'none', borderBottom: `2px dotted ${colour}` })
export const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--c-text)', backgroundColor: 'var(--c-card)', fontSize: '12.5px' },
  '&.cm-focused': { outline: '2px solid var(--c-accent-solid)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--c-text)', padding: '8px 0' },
  '.cm-content:focus-visible': { outline: 'none' },
  '.cm-cursor': { borderLeftColor: 'var(--c-text)' },
  '.cm-gutters': { backgroundColor: 'var(--c-inset)', color: 'var(--c-text-3)', borderRight: '1px solid var(--c-border)' },
  '.cm-activeLine': { backgroundColor: 'var(--c-hover)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--c-active)', color: 'var(--c-text)' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': { backgroundColor: 'var(--c-accent-line)' },
  '.cm-selectionMatch': { backgroundColor: 'var(--c-accent-soft)' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--c-active)', outline: '1px solid var(--c-border-strong)' },
  '.cm-expression, .cm-expression span': { color: 'var(--s-kw)' },
  '.cm-lintRange-error': below('var(--c-bad-dot)'),
  '.cm-lintRange-warning': below('var(--c-warn-dot)'),
  '.cm-lintRange-info': below('var(--c-info-dot)'),
  '.cm-tooltip, .cm-panels': { backgroundColor: 'var(--c-raised)', color: 'var(--c-text)', border: '1px solid var(--c-border-strong)' },
  '.cm-tooltip': { borderRadius: '8px', maxWidth: '460px' },
  '.cm-diagnostic': { padding: '6px 10px', fontFamily: 'var(--font-sans)' },
  '.cm-panel button': { backgroundImage: 'none', backgroundColor: 'var(--c-inset)', color: 'var(--c-text)', border: '1px solid var(--c-border-strong)', minHeight: '24px' },
  '.cm-panel input': { backgroundColor: 'var(--c-card)', color: 'var(--c-text)', border: '1px solid var(--c-border-strong)' },
}) // prettier-ignore
