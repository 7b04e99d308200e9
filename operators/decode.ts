import type { OperatorFunction } from 'rxjs'
import type { Batch } from '../src/core/batch.ts'
import type { Raw } from '../src/core/raw.ts'
import { paced, type Pace } from '../src/core/stage/paced.ts'
import { nowMs } from '../src/core/stage/span.ts'
import { withoutPromise } from '../src/core/stage/promise-like.ts'
import { batchStage, stage } from '../src/core/stage/stage.ts'
import type { Decoded, Format } from '../src/formats/format.ts'
import { slowCountsOf } from '../src/formats/slow-counts.ts'

/** Configures how batches are decoded. */
export interface DecodeOptions {
  /** Maximum of batches that worker threads read at once, if the format has threads: the next one and those after it. Default 1. */
  readonly aheadMax?: number
  /** Lets the event loop run between batches, and measures the operators after this one. Without it they are not interrupted. */
  readonly pace?: Pace
}

/**
 * Decodes Kafka records: `format` reads every record of a batch; records that it cannot read become dead letters. While a
 * format fetches schemas for a batch, or worker threads read it, the batches after it wait, so that their order is kept.
 */
export function decode(
  format: Format,
  { aheadMax = 1, pace }: DecodeOptions = {},
): OperatorFunction<Batch<Raw>, Batch<Decoded>> {
  const ahead =
    format.readAhead === undefined
      ? []
      : [
          stage(
            timed('threads', (raw) => format.readAhead?.(raw)),
            { concurrency: aheadMax },
          ),
        ]
  const prepared = format.prepare && timed('schemas', (raw) => format.prepare?.(raw))
  const preparing =
    pace !== undefined
      ? [paced(pace, creditOrBytesOf, prepared)]
      : prepared === undefined
        ? []
        : [stage(prepared)]
  const decoding = batchStage('decode', (raw: Raw) =>
    withSlowCounts(withoutPromise(format.decode(raw), `decode of the format ${format.name}`)),
  )
  return (source) =>
    [...ahead, ...preparing].reduce((batches, operator) => batches.pipe(operator), source).pipe(decoding)
}

/** Adds the counts of records that did not become columns, for formats that do not count them. */
function withSlowCounts(decoded: Decoded): Decoded {
  const slow = slowCountsOf(decoded)
  return slow === undefined || slow === decoded.slow ? decoded : { ...decoded, slow }
}

/** Returns the bytes by which batches are divided. */
function creditOrBytesOf({ provenance, payload }: Batch<Raw>): number {
  return Math.max(provenance.bytes, payload.bytes.length)
}

/** Returns a function that adds the time until a batch is ready to its timings, unless it is ready at once. */
function timed(
  name: string,
  run: (raw: Raw) => Promise<void> | undefined,
): (batch: Batch<Raw>) => Batch<Raw> | Promise<Batch<Raw>> {
  return (batch) => {
    const startMs = nowMs()
    const done = (): Batch<Raw> => {
      batch.provenance.timings.push({ stage: name, startMs, endMs: nowMs() })
      return batch
    }
    return run(batch.payload)?.then(done) ?? batch
  }
}
