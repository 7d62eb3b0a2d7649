import { expect, it } from 'vitest'
import { tarOf } from './archive'
import { stateOf } from './CodeEditor'
import { patchOf } from './diff-lines'
import { changesOf, type EditorFile, pathProblem, proposalOf, renamed } from './files'

const file = (path: string, text: string | null, executable = false): EditorFile => ({
  path,
  text,
  base64: text === null ? 'AAE=' : null,
  executable,
})

it('tells what changed by hunks with lines before and after', () => {
  const before = Array.from({ length: 20 }, (_, i) => `line ${i + 1}`)
  const after = before.map((x) => (x === 'line 3' ? 'third' : x)).filter((x) => x !== 'line 18')
  const found = patchOf(`${before.join('\n')}\n`, `${after.join('\n')}\nlast\n`)
  expect([found.additions, found.deletions]).toEqual([2, 2])
  expect(found.patch?.match(/^@@.*$/gm)).toEqual(['@@ -1,6 +1,6 @@', '@@ -15,6 +15,6 @@'])
  expect(patchOf('', 'a\n').patch).toBe('@@ -0,0 +1,1 @@\n+a')
  expect(patchOf('a\nb\n', 'a\nb\n')).toEqual({ patch: '', additions: 0, deletions: 0 })
})

it('sends what is different, below the folder, and removes what went', () => {
  const before = [file('template.yaml', 'a'), file('old.txt', 'x'), file('logo.png', null), file('run.sh', 'x')]
  const now = [file('template.yaml', 'b'), file('new.txt', 'y'), file('logo.png', null), file('run.sh', 'x', true)]
  expect(changesOf(before, now).map((f) => [f.path, f.status])).toEqual([
    ['new.txt', 'added'],
    ['old.txt', 'removed'],
    ['run.sh', 'modified'],
    ['template.yaml', 'modified'],
  ])
  expect(proposalOf(before, now, 'paths/x')).toEqual([
    { path: 'paths/x/new.txt', executable: false, content: 'y' },
    { path: 'paths/x/old.txt', executable: false },
    { path: 'paths/x/run.sh', executable: true, content: 'x' },
    { path: 'paths/x/template.yaml', executable: false, content: 'b' },
  ])
})

it('refuses paths that are none', () => {
  const files = [file('skeleton/a', '')]
  for (const path of ['', '/x', '../x', 'a//b', '.git/config', 'skeleton/a', 'skeleton', 'skeleton/a/b'])
    expect(pathProblem(path, files), path).toBeDefined()
  expect(pathProblem('skeleton/b', files)).toBeUndefined()
})

it('gives a copy a name of its own, and leaves the steps alone', () => {
  const text = 'kind: Template\nmetadata:\n  name: python-service\n  title: Python service\nspec:\n  steps:\n    - name: Write\n'
  expect(renamed(text)).toBe(
    'kind: Template\nmetadata:\n  name: my-python-service\n  title: My python service\nspec:\n  steps:\n    - name: Write\n',
  )
})

it('packs an archive of whole blocks with the run bit', () => {
  const bytes = Uint8Array.from(tarOf([file('run.sh', 'echo', true)], 'path').flatMap((part) => [...part]))
  const text = new TextDecoder().decode(bytes)
  expect(bytes.length).toBe(512 * 4)
  expect([text.slice(0, 11), text.slice(100, 107), text.slice(257, 262), text.slice(512, 516)]).toEqual([
    'path/run.sh',
    '0000755',
    'ustar',
    'echo',
  ])
})

it.each(['a\r\nb\r\n', 'a\nb\n', 'a\r\nb\n', 'a\rb', ''])('does not change %j by opening it', (text) => {
  expect(stateOf(text).sliceDoc()).toBe(text)
})
