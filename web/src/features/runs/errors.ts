import type { RunError } from '~/api/types'

/** The sentence of a run's or step's error, whatever its shape; empty when there is none. */
export const errorText = (e: RunError | undefined): string =>
  !e ? '' : typeof e === 'string' ? e : (e.detail ?? e.message ?? e.code ?? '')
