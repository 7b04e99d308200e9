/** Holds the version of this package: a constant, so that a program that bundles the library needs no package.json. */
export const PACKAGE_VERSION = '0.1.0'

/** Names this writer in commits. */
export const ENGINE_INFO = `kafka-delta/${PACKAGE_VERSION}`
