import type { OperatorFunction } from 'rxjs'
import type { Batch, Flush } from '../src/core/batch.ts'
import { PipelineError } from '../src/core/errors.ts'
import { batchStage, stage } from '../src/core/stage/stage.ts'
import { causeLines } from '../src/dead-letters/cause.ts'
import type { Labelled } from './partition-by.ts'

/** How many dead letters are too many. */
export interface DeadLetterLimit {
  /** Share of a flush's records that may be dead letters, above 0 and at most 1. */
  readonly maxRate: number
  /** Flushes of fewer records pass whatever their share. */
  readonly recordsMin: number
}

/** Causes that an error names. */
const CAUSES_SHOWN = 5

/**
 * A flush of which more than the allowed share are dead letters stops the pipeline before anything of it is written:
 * neither rows nor letters, so that a restart reads the same records again.
 * @throws KD_TOO_MANY_DEAD_LETTERS with the most frequent causes, how often each came, and where the first was
 */
export function limitDeadLetters<P>(
  limit: DeadLetterLimit | undefined,
): OperatorFunction<Flush<P>, Flush<P>> {
  if (limit === undefined) return (flushes) => flushes
  return stage((flush: Flush<P>) => {
    if (flush.deadLetters.length === 0) return flush
    const { counts, deadLetters } = flush
    // Messages that hold several records count as these.
    const records = counts.rows + counts.deadLetters + counts.tombstones + counts.filtered
    if (records < limit.recordsMin || deadLetters.length <= limit.maxRate * records) return flush
    const causes = causeLines(deadLetters, CAUSES_SHOWN)
    const detail = `${deadLetters.length} of ${records} records (${percentOf(deadLetters.length / records)}), and ${percentOf(limit.maxRate)} may be; ${causes.join('; ')}`
    throw new PipelineError('KD_TOO_MANY_DEAD_LETTERS', detail, { topic: flush.ranges[0]?.topic })
  })
}

/**
 * The first dead letter stops the pipeline, where that is wanted; what its batch and the flush before it hold is not
 * written, and a restart reads it again.
 * @throws KD_DEAD_LETTER with the place and the reason
 */
export function stopAtDeadLetter(isWanted: boolean): OperatorFunction<Batch<Labelled>, Batch<Labelled>> {
  if (!isWanted) return (batches) => batches
  return batchStage('stopAtDeadLetter', (labelled) => {
    const [letter] = labelled.rows.deadLetters
    if (letter === undefined) return labelled
    const { topic, partition, offset, reason, message } = letter
    throw new PipelineError('KD_DEAD_LETTER', `${reason}: ${message}`, { topic, partition, offset })
  })
}

function percentOf(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`
}
