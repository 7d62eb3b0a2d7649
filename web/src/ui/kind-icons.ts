import { createContext } from 'react'

/** Kind in small letters → name of its icon. The frame of the page fills it, so that a declared kind looks the same everywhere. */
export const KindIcons = createContext<Readonly<Record<string, string | undefined>>>({})
