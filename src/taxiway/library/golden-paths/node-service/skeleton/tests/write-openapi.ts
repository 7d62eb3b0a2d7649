/** Writes openapi.json, which the catalog shows. */
import { writeFile } from 'node:fs/promises'
import { testApp } from './app.js'

const app = await testApp()
await app.ready()
await writeFile('openapi.json', `${JSON.stringify(app.swagger(), undefined, 2)}\n`)
