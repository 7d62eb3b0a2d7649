// Pages are content/**/*.md in layouts/*.njk; assets/ is copied. The result is build/site.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export default function (config) {
  config.addPassthroughCopy({ assets: 'assets' })
  // Browsers keep assets for good: a changed style gets another address.
  config.addGlobalData('style', () => createHash('sha256').update(readFileSync('assets/site.css')).digest('hex').slice(0, 8))
  return {
    dir: { input: 'content', includes: '../layouts', output: 'build/site' },
    markdownTemplateEngine: false,
  }
}
