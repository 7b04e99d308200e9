import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import { NO_COUNTS, addCounts, type Counts } from '../../core/batch.ts'

/** Holds the totals of what one topic has committed. */
export interface TopicSummary {
  readonly counts: Counts
  readonly commits: number
  readonly files: number
  readonly bytes: number
  /** Newest table version that this process wrote. */
  readonly version: bigint | undefined
}

/** Holds the totals of a topic without commits. */
export const EMPTY_SUMMARY: TopicSummary = {
  counts: NO_COUNTS,
  commits: 0,
  files: 0,
  bytes: 0,
  version: undefined,
}

/** Returns the summary with one more commit. */
export function addCommit(summary: TopicSummary, { counts, adds, version }: PipelineCommit): TopicSummary {
  return {
    counts: addCounts(summary.counts, counts),
    commits: summary.commits + 1,
    files: summary.files + adds.length,
    bytes: summary.bytes + adds.reduce((sum, add) => sum + add.size, 0),
    version,
  }
}
