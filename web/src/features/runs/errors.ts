/** The sentence of a run's or step's error; empty when there is none. */
export const errorText = (e: string | null | undefined): string => e ?? ''
