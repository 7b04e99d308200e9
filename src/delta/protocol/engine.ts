import { createRequire } from 'node:module'

const { version } = createRequire(import.meta.url)('kafka-delta/package.json') as { version: string }

/** Holds the version of this package. */
export const PACKAGE_VERSION = version

/** Names this writer in commits. */
export const ENGINE_INFO = `kafka-delta/${PACKAGE_VERSION}`
