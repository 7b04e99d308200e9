import { format } from 'node:util'
import type { Logger } from './log.ts'
import { logProcessWarnings } from './process-warnings.ts'

const METHODS = { log: 'info', info: 'info', debug: 'debug', warn: 'warn', error: 'error' } as const

/**
 * Writes as lines of the log what the process and its libraries would print as plain text: warnings of Node.js and output of
 * `console`. Returns a function that restores the output.
 */
export function logProcessOutput(log: Logger): () => void {
  const stopLoggingWarnings = logProcessWarnings(log)
  const methods = Object.keys(METHODS) as (keyof typeof METHODS)[]
  const before = methods.map((name) => [name, Object.getOwnPropertyDescriptor(console, name)] as const)
  for (const name of methods) {
    console[name] = (...values: readonly unknown[]): void =>
      log[METHODS[name]]({ console: name }, `A library printed: ${format(...values)}`)
  }
  return () => {
    for (const [name, method] of before)
      if (method !== undefined) Object.defineProperty(console, name, method)
    stopLoggingWarnings()
  }
}
