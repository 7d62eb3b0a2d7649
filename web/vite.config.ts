import react from '@vitejs/plugin-react'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

// What the server runs in an embedded interpreter for Backstage's templates: the packages' own files, as they are.
const ENGINES = {
  'nunjitsu.js': 'nunjitsu/dist/browser/index.js',
  LICENSE: 'nunjitsu/LICENSE',
  'jsonata.js': 'jsonata/jsonata.min.js',
  'jsonata-LICENSE': 'jsonata/LICENSE',
}
const engine = {
  name: 'template-engine',
  generateBundle() {
    for (const [fileName, path] of Object.entries(ENGINES)) {
      const source = readFileSync(`node_modules/${path}`, 'utf8')
      this.emitFile({ type: 'asset', fileName: `templating/${fileName}`, source })
    }
  },
} satisfies Plugin

const server = process.env.TAXIWAY_URL ?? 'http://127.0.0.1:7007'

export default defineConfig({
  plugins: [react(), engine],
  resolve: { alias: { '~': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: { emptyOutDir: true, manifest: true, chunkSizeWarningLimit: 600, target: 'es2022' },
  server: { proxy: { '/api': { target: server, changeOrigin: true }, '/openapi.json': { target: server, changeOrigin: true } } },
})
