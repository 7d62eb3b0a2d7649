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
  description: null,
  minimum: null,
  maximum: null,
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

it('keeps numbers, yes and no as what they are', () => {
  expect([valueOf(field('integer'), '12'), valueOf(field('number'), '2.5'), valueOf(field('integer'), '')]).toEqual([
    12,
    2.5,
    null,
  ])
  expect(valueOf(field('integer'), 'many')).toBe('many')
  expect(valueOf(field('numbers'), ['6', '22.5'])).toEqual([6, 22.5])
  expect([valueOf(field('boolean'), 'false'), valueOf(field('boolean'), '')]).toEqual([false, null])
  expect([shownOf(field('boolean'), false), shownOf(field('enums'), undefined), shownOf(field('integer'), 0)]).toEqual([
    'false',
    [],
    '0',
  ])
})

it('drops the names of the files from a diff', () => {
  expect(hunksOf('--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n')).toBe('@@ -1 +1 @@\n-a\n+b\n')
})
