// Sums what a first visit and each page load, gzipped, from Vite's manifest. Fails above the budget.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const FIRST = 260
const ROUTE = 160
const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
const size = (file) => gzipSync(readFileSync(new URL(file, dist))).length / 1024
const closure = (key, seen = new Set()) => {
  if (!seen.has(key)) {
    seen.add(key)
    for (const k of manifest[key].imports ?? []) closure(k, seen)
  }
  return seen
}
const sum = (keys, part) =>
  [...new Set(keys.flatMap((k) => (part === 'css' ? (manifest[k].css ?? []) : [manifest[k].file])))].reduce(
    (n, f) => n + size(f),
    0,
  )

const entry = Object.keys(manifest).find((k) => manifest[k].isEntry)
const first = [...closure(entry)]
const rows = [['first load', sum(first, 'js'), sum(first, 'css'), FIRST]]
for (const [key, chunk] of Object.entries(manifest)) {
  if (!chunk.isDynamicEntry || !key.startsWith('src/')) continue
  const own = [...closure(key)].filter((k) => !first.includes(k))
  rows.push([key.replace('src/', ''), sum(own, 'js'), sum(own, 'css'), ROUTE])
}
let bad = 0
for (const [name, js, css, limit] of rows.sort((a, b) => b[1] - a[1])) {
  if (js > limit) bad++
  console.log(`${js > limit ? 'OVER ' : '     '}${js.toFixed(1).padStart(7)} kB js ${css.toFixed(1).padStart(6)} kB css  ${name}`)
}
process.exit(bad ? 1 : 0)
