import { createRequire } from 'node:module'

const { version } = createRequire(import.meta.url)('kafka-delta/package.json') as { version: string }

/** The version of this package. */
export const VERSION = version

/** How commits and files name their writer. */
export const ENGINE_INFO = `kafka-delta/${VERSION}`
