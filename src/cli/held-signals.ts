const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Holds back the signals that ask the process to stop, while the modules that handle them are loading. The returned function
 * ends that and delivers the first signal that came meanwhile.
 */
export function holdSignals(): () => void {
  let held: NodeJS.Signals | undefined
  const hold = (signal: NodeJS.Signals): void => {
    held ??= signal
  }
  for (const signal of SIGNALS) process.on(signal, hold)
  return () => {
    for (const signal of SIGNALS) process.off(signal, hold)
    if (held !== undefined) process.kill(process.pid, held)
    held = undefined
  }
}
