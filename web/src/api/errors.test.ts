import { expect, test } from 'vitest'
import { sentence } from './errors'

test.each([
  ['it needs catalog.entity.read: ask an owner', 'It needs catalog.entity.read: ask an owner.'],
  ['there is no view', 'There is no view.'],
  ['this is yours: leave it.', 'This is yours: leave it.'],
  ['orders has no commit yet: push one', 'orders has no commit yet: push one.'],
  ['component:default/a is taken', 'component:default/a is taken.'],
  ['its provider is at https://sso.example.com/realms/acme', 'Its provider is at https://sso.example.com/realms/acme'],
  ['not_there is no field', 'not_there is no field.'],
  ['The server answered 500.', 'The server answered 500.'],
])('%s is shown as a sentence', (detail, shown) => expect(sentence(detail)).toBe(shown))
