import type { Store } from '../storage/store.ts'

/** Commits between two checkpoints. */
export function checkpointInterval(configuration: Readonly<Record<string, string>>): bigint {
  const text = configuration['delta.checkpointInterval'] ?? ''
  return /^[1-9]\d{0,8}$/.test(text) ? BigInt(text) : 10n
}

export function writeCheckpoint(_store: Store, _version: bigint, _nowMs: number): Promise<void> {
  return Promise.resolve()
}
