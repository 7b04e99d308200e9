import type { Decoded, SlowCounts, SlowReason } from './format.ts'

/** The reasons for which records are decoded as objects. */
export const SLOW_REASONS = [
  'path',
  'schema',
  'field',
  'value',
  'contract',
  'transform',
] as const satisfies readonly SlowReason[]

/**
 * Returns the counts of records that did not become columns. A format that does not count them itself has no columnar
 * path, so all of its messages and undecodable records have the reason `path`. `undefined` when all became columns.
 */
export function slowCountsOf({ slow, objects, deadLetters }: Decoded): SlowCounts | undefined {
  if (slow !== undefined) return slow
  const undecoded = deadLetters.filter(({ reason }) => reason !== 'tombstone').length
  const path = objects.length + undecoded
  return path === 0 ? undefined : { path }
}
