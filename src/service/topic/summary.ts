import type { Commit } from '../../../operators/commit-offsets.ts'
import { NO_COUNTS, plusCounts, type Counts } from '../../core/batch.ts'

/** What one topic carried so far. */
export interface Summary {
  readonly counts: Counts
  readonly commits: number
  readonly files: number
  readonly bytes: number
  /** Newest table version that we wrote. */
  readonly version: bigint | undefined
}

/** Nothing yet. */
export const EMPTY_SUMMARY: Summary = {
  counts: NO_COUNTS,
  commits: 0,
  files: 0,
  bytes: 0,
  version: undefined,
}

/** The summary with one commit more. */
export function withCommit(summary: Summary, { counts, adds, version }: Commit): Summary {
  return {
    counts: plusCounts(summary.counts, counts),
    commits: summary.commits + 1,
    files: summary.files + adds.length,
    bytes: summary.bytes + adds.reduce((sum, add) => sum + add.size, 0),
    version,
  }
}
