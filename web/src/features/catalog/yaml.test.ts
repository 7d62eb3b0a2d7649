import { expect, test } from 'vitest'
import { toYaml, yamlLines } from './yaml'

const entity = {
  kind: 'Component',
  metadata: { annotations: { 'acme.dev/a~b': 'x' }, tags: ['java', 'true'], links: [{ url: 'u', title: 't' }], labels: {} },
  spec: { text: 'one\ntwo\n', none: null, list: [] },
}

test('an entity reads as YAML', () => {
  expect(toYaml(entity)).toBe(`kind: Component
metadata:
  annotations:
    "acme.dev/a~b": x
  tags:
    - java
    - "true"
  links:
    - url: u
      title: t
  labels: {}
spec:
  text: |
    one
    two
  none: null
  list: []
`)
  expect([toYaml([]), toYaml('a: b'), toYaml(['x'])]).toEqual(['[]\n', '"a: b"\n', '- x\n'])
})

test('every line knows the value that it shows', () => {
  expect(yamlLines(entity).map((l) => l.pointer)).toEqual([
    '/kind',
    '/metadata',
    '/metadata/annotations',
    '/metadata/annotations/acme.dev~1a~0b',
    '/metadata/tags',
    '/metadata/tags/0',
    '/metadata/tags/1',
    '/metadata/links',
    '/metadata/links/0/url',
    '/metadata/links/0/title',
    '/metadata/labels',
    '/spec',
    '/spec/text',
    '/spec/text',
    '/spec/text',
    '/spec/none',
    '/spec/list',
  ])
})
