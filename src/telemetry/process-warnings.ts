import type { Logger } from './log.ts'

/**
 * Writes warnings of the process, such as those of Node.js and of cloud clients, as lines of the log instead of plain text on
 * standard error, where readers expect lines of JSON. Returns a function that restores what Node.js does by default.
 */
export function logProcessWarnings(log: Logger): () => void {
  const defaults = process.listeners('warning')
  const onWarning = (warning: Error): void => {
    const { code } = warning as { readonly code?: unknown }
    log.warn({ warning: warning.name, code }, `Warning of the process: ${warning.message}`)
  }
  process.removeAllListeners('warning')
  process.on('warning', onWarning)
  return () => {
    process.off('warning', onWarning)
    for (const listener of defaults) process.on('warning', listener)
  }
}
