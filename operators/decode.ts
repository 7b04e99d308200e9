import type { OperatorFunction } from 'rxjs'
import type { Batch } from '../src/core/batch.ts'
import type { Raw } from '../src/core/raw.ts'
import { nowMs } from '../src/core/stage/span.ts'
import { batchStage, stage } from '../src/core/stage/stage.ts'
import type { Decoded, Format } from '../src/formats/format.ts'

/**
 * Decodes Kafka records: `format` reads every record of a batch; records that it cannot read become dead letters. While a
 * format fetches schemas for a batch, the batches after it wait, so that their order is kept.
 */
export function decode(format: Format): OperatorFunction<Batch<Raw>, Batch<Decoded>> {
  const decoding = batchStage('decode', (raw: Raw) => format.decode(raw))
  if (format.prepare === undefined) return decoding
  return (source) => source.pipe(stage(prepared(format)), decoding)
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
