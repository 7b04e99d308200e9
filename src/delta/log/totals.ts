import type { Action, Add, Remove } from '../protocol/actions.ts'

/** Holds the number of files of a table and their bytes, counted from commit to commit so that no listing is needed. */
export interface FileTotals {
  readonly files: number
  readonly bytes: number
  /** Version after which counting started; absent if the totals cover the whole table. */
  readonly sinceVersion?: bigint
}

/** Holds the totals of a table without files. */
export const NO_FILES: FileTotals = { files: 0, bytes: 0 }

/** Returns empty totals that count only the commits after `version`. */
export function totalsSince(version: bigint): FileTotals {
  return { ...NO_FILES, sinceVersion: version }
}

/**
 * Returns the totals after a commit. Counting restarts after a commit whose effect on the totals is unknown: one that
 * removes a file without its size, or that only restates files. Spec: "Add File and Remove File".
 */
export function totalsAfter(totals: FileTotals, version: bigint, actions: readonly Action[]): FileTotals {
  const adds: Add[] = []
  const removes: Remove[] = []
  for (const action of actions) {
    if (action.kind === 'add') adds.push(action.add)
    else if (action.kind === 'remove') removes.push(action.remove)
  }
  if (adds.length === 0 && removes.length === 0) return totals
  const isOneSided = adds.length === 0 || removes.length === 0
  if (isOneSided && [...adds, ...removes].some(({ dataChange }) => !dataChange)) return totalsSince(version)
  let bytes = totals.bytes
  for (const { size } of adds) bytes += size
  for (const { size } of removes) {
    if (size === undefined) return totalsSince(version)
    bytes -= size
  }
  return { ...totals, files: totals.files + adds.length - removes.length, bytes }
}

/** Returns the totals of the whole table from the totals at the version where counting started. */
export function sumTotals(totals: FileTotals, base: FileTotals): FileTotals {
  return { files: totals.files + base.files, bytes: totals.bytes + base.bytes }
}
