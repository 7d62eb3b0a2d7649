/** The browser of the machine: CHROMIUM, else the one on PATH, else the npm package's own (needs no root). */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
export const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] // prettier-ignore

export async function findBrowser(): Promise<string> {
  const given = process.env.CHROMIUM
  if (given) return given
  for (const folder of (process.env.PATH ?? '').split(delimiter))
    for (const name of NAMES) if (existsSync(join(folder, name))) return join(folder, name)
  const { default: packaged } = await import('@sparticuz/chromium')
  return packaged.executablePath()
}
