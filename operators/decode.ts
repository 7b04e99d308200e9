import type { OperatorFunction } from 'rxjs'
import type { Batch } from '../src/core/batch.ts'
import type { Raw } from '../src/core/raw.ts'
import { batchStage } from '../src/core/stage.ts'
import type { Decoded, Format } from '../src/formats/format.ts'

/** Bytes → rows: `format` reads every record of the batch; what it cannot read becomes a dead letter. */
export function decode(format: Format): OperatorFunction<Batch<Raw>, Batch<Decoded>> {
  return batchStage('decode', (raw) => format.decode(raw))
}
