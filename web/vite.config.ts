import react from '@vitejs/plugin-react'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const server = process.env.TAXIWAY_URL ?? 'http://127.0.0.1:7007'

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '~': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: { emptyOutDir: true, manifest: true, chunkSizeWarningLimit: 600, target: 'es2022' },
  server: { proxy: { '/api': { target: server, changeOrigin: true }, '/openapi.json': { target: server, changeOrigin: true } } },
})
