/** A unified diff of two texts, by lines. Long texts that differ much are shown as replaced, so that a keystroke never waits. */
export type Patch = { patch: string | null; additions: number; deletions: number }
type Op = { sign: ' ' | '+' | '-'; text: string }

const CONTEXT = 3
/** Cells of the table of common lines; more is not worth the wait. */
const MOST_CELLS = 4_000_000
const MOST_LINES = 3_000

const linesOf = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

export function patchOf(before: string, after: string): Patch {
  const ops = edits(linesOf(before), linesOf(after))
  const count = (sign: string) => ops.filter((o) => o.sign === sign).length
  const [additions, deletions] = [count('+'), count('-')]
  return { patch: additions + deletions > MOST_LINES ? null : hunks(ops), additions, deletions }
}

function edits(a: string[], b: string[]): Op[] {
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const same = (text: string): Op => ({ sign: ' ', text })
  const middle = common(a.slice(start, a.length - end), b.slice(start, b.length - end))
  return [...a.slice(0, start).map(same), ...middle, ...a.slice(a.length - end).map(same)]
}

/** The longest common subsequence, from a table of lengths that is filled from the end. */
function common(a: string[], b: string[]): Op[] {
  const width = b.length + 1
  const gone = a.map((text): Op => ({ sign: '-', text }))
  const made = b.map((text): Op => ({ sign: '+', text }))
  if (!a.length || !b.length || (a.length + 1) * width > MOST_CELLS) return [...gone, ...made]
  const longest = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number) => longest[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const ops: Op[] = []
  let [i, j] = [0, 0]
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      ops.push({ sign: ' ', text: a[i] ?? '' })
      i++
      j++
    } else if (at(i + 1, j) >= at(i, j + 1)) ops.push(gone[i++] as Op)
    else ops.push(made[j++] as Op)
  }
  return [...ops, ...gone.slice(i), ...made.slice(j)]
}

function hunks(ops: Op[]): string {
  const keep = new Array<boolean>(ops.length).fill(false)
  ops.forEach((o, i) => {
    if (o.sign !== ' ') keep.fill(true, Math.max(0, i - CONTEXT), Math.min(ops.length, i + CONTEXT + 1))
  })
  const out: string[] = []
  let [before, after] = [1, 1]
  for (let i = 0; i < ops.length;) {
    if (!keep[i]) {
      before++
      after++
      i++
      continue
    }
    let last = i
    while (last < ops.length && keep[last]) last++
    const part = ops.slice(i, last)
    const [olds, news] = [part.filter((o) => o.sign !== '+').length, part.filter((o) => o.sign !== '-').length]
    out.push(`@@ -${olds ? before : before - 1},${olds} +${news ? after : after - 1},${news} @@`)
    out.push(...part.map((o) => o.sign + o.text))
    before += olds
    after += news
    i = last
  }
  return out.join('\n')
}
