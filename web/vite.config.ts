import react from '@vitejs/plugin-react'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

// The server renders templates with the same engine in an embedded interpreter: the package's own file, as it is.
const engine = {
  name: 'template-engine',
  generateBundle() {
    for (const [fileName, path] of Object.entries({ 'nunjitsu.js': 'dist/browser/index.js', LICENSE: 'LICENSE' })) {
      const source = readFileSync(`node_modules/nunjitsu/${path}`, 'utf8')
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
