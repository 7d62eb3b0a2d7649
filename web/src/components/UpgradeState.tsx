import type { UpgradeState } from '~/api/types'
import { StatusBadge, type Tone } from '~/ui/Status'

const STATES: Record<UpgradeState, [tone: Tone, title: string]> = {
  current: ['ok', 'current'],
  behind: ['warn', 'behind'],
  proposed: ['info', 'proposed'],
  declined: ['idle', 'declined'],
  unknown: ['idle', 'path is gone'],
}
export const UPGRADE_STATES = Object.keys(STATES) as UpgradeState[]
export const upgradeTitle = (state: UpgradeState) => STATES[state][1]

export function UpgradeBadge({ state }: { state: UpgradeState }) {
  const [tone, title] = STATES[state]
  return <StatusBadge tone={tone}>{title}</StatusBadge>
}
