import { messageOf, PipelineError } from '../../../core/errors.ts'
import type { FetchPartition } from '../fetch-partition.ts'

/**
 * Returns whether an error of a request must stop the reading: the brokers refuse the client or lack a version, or the
 * program has a fault. All other errors are retried.
 */
export function isPermanent(error: unknown): boolean {
  return !(error instanceof PipelineError && error.retryable)
}

/** Returns the error with which a partition fails: a `PipelineError` as it is, any other as KD_SOURCE_FAILED. */
export function fetchFailureOf(
  error: unknown,
  { topic, partition }: Pick<FetchPartition, 'topic' | 'partition'>,
): PipelineError {
  if (error instanceof PipelineError) return error
  return new PipelineError('KD_SOURCE_FAILED', messageOf(error), { topic, partition }, { cause: error })
}
