import { expect, test } from 'vitest'
import { readStructured, toneOfLevel } from './log-line'

test('a JSON line is split into level, sentence and fields', () => {
  const line = readStructured(
    '{"time":"2026-11-25T16:57:19Z","level":"ERROR","message":"request failed","status":500,"path":"/a b"}',
  )
  expect(line).toEqual({ level: 'error', message: 'request failed', fields: 'status=500 path="/a b"', at: Date.parse('2026-11-25T16:57:19Z') * 1000 }) // prettier-ignore
  expect(toneOfLevel('error')).toBe('error')
})

test('what is not structured stays as it is', () => {
  for (const text of ['plain', '{"a":1}', '{broken', '[1]', '{"message":5}']) expect(readStructured(text)).toBeUndefined()
})
