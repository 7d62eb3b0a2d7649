import { expect, it } from 'vitest'
import { rowsOf } from './diff'

it('numbers the lines of both sides', () => {
  const patch = '@@ -1,3 +1,3 @@ def f\n a\n-b\n+B\n c\n@@ -9 +9,2 @@\n+x\n y\n\\ No newline at end of file\n'
  expect(rowsOf(patch)).toEqual([
    { kind: 'hunk', text: 'def f' },
    { kind: 'same', before: 1, after: 1, text: 'a' },
    { kind: 'remove', before: 2, text: 'b' },
    { kind: 'add', after: 2, text: 'B' },
    { kind: 'same', before: 3, after: 3, text: 'c' },
    { kind: 'hunk', text: '' },
    { kind: 'add', after: 9, text: 'x' },
    { kind: 'same', before: 9, after: 10, text: 'y' },
    { kind: 'note', text: 'No newline at end of file' },
  ])
})
