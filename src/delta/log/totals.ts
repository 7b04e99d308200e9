import type { Action, Add, Remove } from '../protocol/actions.ts'

/** Files of a table and their bytes, counted from commit to commit so that nobody has to list them. */
export interface Totals {
  readonly files: number
  readonly bytes: number
  /** The version since which files were counted; those of the whole table where absent. */
  readonly since?: bigint
}

/** Of a table without files. */
export const NO_FILES: Totals = { files: 0, bytes: 0 }

/** Of what comes after a version at which nothing is known. */
export function totalsSince(version: bigint): Totals {
  return { ...NO_FILES, since: version }
}

/**
 * The totals after a commit. Counting begins anew behind a commit whose actions do not say by how much they change them: one
 * that removes a file without its size, or that only names files again. Spec: "Add File and Remove File".
 */
export function totalsAfter(totals: Totals, version: bigint, actions: readonly Action[]): Totals {
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

/** The totals of the whole table, by those at the version since which they were counted. */
export function wholeTotals(totals: Totals, base: Totals): Totals {
  return { files: totals.files + base.files, bytes: totals.bytes + base.bytes }
}
