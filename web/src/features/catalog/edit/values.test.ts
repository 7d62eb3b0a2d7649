import { expect, it } from 'vitest'
import type { EditField } from '~/api/types'
import { hunksOf, shownOf, valueOf, withValue } from './values'

const field = (shape: EditField['shape'], required = false): EditField => ({
  pointer: '/metadata/labels',
  title: 'Labels',
  shape,
  required,
  default_kind: null,
  options: [],
})

it('shows pairs as texts and reads them back', () => {
  const shown = shownOf(field('pairs'), { tier: '1', url: 'a=b' })
  expect(shown).toEqual(['tier=1', 'url=a=b'])
  expect(valueOf(field('pairs'), shown)).toEqual({ tier: '1', url: 'a=b' })
})

it('takes an empty field out, but keeps a list that must be there', () => {
  expect(valueOf(field('text'), '')).toBeNull()
  expect(valueOf(field('texts'), [])).toBeNull()
  expect(valueOf(field('references', true), [])).toEqual([])
  expect(withValue({ spec: { owner: 'a', type: 'b' } }, '/spec/owner', null)).toEqual({ spec: { type: 'b' } })
})

it('drops the names of the files from a diff', () => {
  expect(hunksOf('--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n')).toBe('@@ -1 +1 @@\n-a\n+b\n')
})
