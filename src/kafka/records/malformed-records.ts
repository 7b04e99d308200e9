import { PipelineError } from '../../core/errors.ts'

/** Names the partition that records belong to. */
export interface RecordsPartition {
  readonly topic: string
  readonly partition: number
}

/** Describes a fault in stored bytes; `readRecords` converts it to KD_RECORDS_CORRUPT with the offset. */
export class MalformedRecords extends Error {}

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
