import type { Cell } from '~/api/types'
import { type Tone, toneOf, words } from '~/ui/Status'

/** Health says how it runs; while a deployment is under way, or when the last one failed, that comes first. */
export function cellState(cell: Cell): { tone: Tone; text: string } {
  const health = toneOf(cell.health)
  const latest = toneOf(cell.latest_state)
  if (latest === 'info' || latest === 'bad')
    return {
      tone: health === 'bad' ? 'bad' : latest,
      text: latest === 'bad' ? 'last deployment failed' : words(cell.latest_state),
    }
  return { tone: health, text: words(cell.health) }
}
