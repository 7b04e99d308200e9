import type { OperatorFunction } from 'rxjs'
import type { Batch } from '../src/core/batch.ts'
import type { Raw } from '../src/core/raw.ts'
import { nowMs } from '../src/core/stage/span.ts'
import { batchStage, stage } from '../src/core/stage/stage.ts'
import type { Decoded, Format } from '../src/formats/format.ts'
import { slowCountsOf } from '../src/formats/slow-counts.ts'

/**
 * Decodes Kafka records: `format` reads every record of a batch; records that it cannot read become dead letters. While a
 * format fetches schemas for a batch, the batches after it wait, so that their order is kept.
 */
export function decode(format: Format): OperatorFunction<Batch<Raw>, Batch<Decoded>> {
  const decoding = batchStage('decode', (raw: Raw) => withSlowCounts(format.decode(raw)))
  if (format.prepare === undefined) return decoding
  return (source) => source.pipe(stage(prepared(format)), decoding)
}

/** Adds the counts of records that did not become columns, for formats that do not count them. */
function withSlowCounts(decoded: Decoded): Decoded {
  const slow = slowCountsOf(decoded)
  return slow === undefined || slow === decoded.slow ? decoded : { ...decoded, slow }
}

function prepared(format: Format): (batch: Batch<Raw>) => Batch<Raw> | Promise<Batch<Raw>> {
  return (batch) => {
    const startMs = nowMs()
    const done = (): Batch<Raw> => {
      batch.provenance.timings.push({ stage: 'schemas', startMs, endMs: nowMs() })
      return batch
    }
    return format.prepare?.(batch.payload)?.then(done) ?? batch
  }
}
