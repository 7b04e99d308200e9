import type { OperatorFunction } from 'rxjs'
import type { Batch, Flush } from '../src/core/batch.ts'
import { PipelineError } from '../src/core/errors.ts'
import { batchStage, stage } from '../src/core/stage/stage.ts'
import { describeCauses } from '../src/stored-letters/cause.ts'
import type { PartitionedRows } from './partition-by.ts'

/** Sets the dead letters above which the pipeline stops. */
export interface DeadLetterLimit {
  /** Allowed share of dead letters among the records of a flush, above 0 and at most 1. */
  readonly maxRate: number
  /** Flushes with fewer records are not checked. */
  readonly recordsMin: number
}

/** Causes named in the error. */
const CAUSES_SHOWN = 5

/**
 * Stops the pipeline at a flush with more dead letters than allowed, before its rows or dead letters are written, so that
 * a restart reads the same records again.
 * @throws KD_TOO_MANY_DEAD_LETTERS with the most frequent causes, their counts and the first record of each
 */
export function limitDeadLetters<P>(
  limit: DeadLetterLimit | undefined,
): OperatorFunction<Flush<P>, Flush<P>> {
  if (limit === undefined) return (flushes) => flushes
  return stage((flush: Flush<P>) => {
    if (flush.deadLetters.length === 0) return flush
    const { counts, deadLetters } = flush
    // Each record of a message with several records counts.
    const records = counts.rows + counts.deadLetters + counts.tombstones + counts.filtered
    if (records < limit.recordsMin || deadLetters.length <= limit.maxRate * records) return flush
    const causes = describeCauses(deadLetters, CAUSES_SHOWN)
    const detail = `${deadLetters.length} of ${records} records (${toPercent(deadLetters.length / records)}) are dead letters, at most ${toPercent(limit.maxRate)} are allowed; ${causes.join('; ')}`
    throw new PipelineError('KD_TOO_MANY_DEAD_LETTERS', detail, { topic: flush.ranges[0]?.topic })
  })
}

/**
 * Stops the pipeline at the first dead letter if `isEnabled`. Its batch and the buffered batches before it are not
 * written; a restart reads them again.
 * @throws KD_DEAD_LETTER with the reason and the topic, partition and offset of the record
 */
export function stopAtDeadLetter(
  isEnabled: boolean,
): OperatorFunction<Batch<PartitionedRows>, Batch<PartitionedRows>> {
  if (!isEnabled) return (batches) => batches
  return batchStage('stopAtDeadLetter', (labelled) => {
    const [letter] = labelled.rows.deadLetters
    if (letter === undefined) return labelled
    const { topic, partition, offset, reason, message } = letter
    throw new PipelineError('KD_DEAD_LETTER', `${reason}: ${message}`, { topic, partition, offset })
  })
}

function toPercent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`
}
