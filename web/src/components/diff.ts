/** Reads the hunks of a unified diff into rows with line numbers. */
export type DiffRow = { kind: 'hunk' | 'add' | 'remove' | 'same' | 'note'; before?: number; after?: number; text: string }

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/

export function rowsOf(patch: string): DiffRow[] {
  let [before, after] = [0, 0]
  return patch
    .replace(/\n$/, '')
    .split('\n')
    .map((line): DiffRow => {
      const hunk = HUNK.exec(line)
      if (hunk) {
        before = Number(hunk[1])
        after = Number(hunk[2])
        return { kind: 'hunk', text: hunk[3] ?? '' }
      }
      const text = line.slice(1)
      if (line.startsWith('+')) return { kind: 'add', after: after++, text }
      if (line.startsWith('-')) return { kind: 'remove', before: before++, text }
      if (line.startsWith('\\')) return { kind: 'note', text: text.trim() }
      return { kind: 'same', before: before++, after: after++, text }
    })
}
