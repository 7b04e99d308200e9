import { PipelineError } from '../../core/errors.ts'

/** Names the partition that records belong to. */
export interface RecordsPartition {
  readonly topic: string
  readonly partition: number
}

/**
 * Describes a fault in stored bytes; `readRecords` converts it to KD_RECORDS_CORRUPT with `offset`, by default the one that
 * the batch has.
 */
export class MalformedRecords extends Error {
  readonly offset: bigint | undefined

  constructor(detail: string, { offset, ...options }: ErrorOptions & { readonly offset?: bigint } = {}) {
    super(detail, options)
    this.offset = offset
  }
}

/** Returns the KD_RECORDS_CORRUPT error for the batch at `offset`. */
export function corruptRecordsError(
  { topic, partition }: RecordsPartition,
  offset: bigint,
  detail: string,
  cause?: unknown,
): PipelineError {
  const context = { topic, partition, offset }
  return new PipelineError('KD_RECORDS_CORRUPT', detail, context, cause === undefined ? {} : { cause })
}
