// Every link inside the site leads somewhere.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const SITE = 'build/site'
const pages = readdirSync(SITE, { recursive: true }).filter((name) => name.endsWith('.html'))

function leads(href) {
  const path = join(SITE, decodeURIComponent(href.split(/[?#]/, 1)[0]))
  if (existsSync(`${path}.html`)) return true
  return existsSync(path) && (statSync(path).isFile() || existsSync(join(path, 'index.html')))
}

test('there are pages', () => assert.ok(pages.includes('index.html') && pages.includes('404.html')))

for (const page of pages) {
  test(`${page} has no dead link`, () => {
    const text = readFileSync(join(SITE, page), 'utf8')
    const dead = [...text.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map(([, href]) => href).filter((href) => !leads(href))
    assert.deepEqual(dead, [])
  })
}
