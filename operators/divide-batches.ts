import { concatMap, type MonoTypeOperatorFunction } from 'rxjs'
import type { Batch } from '../src/core/batch.ts'
import type { Raw } from '../src/core/raw.ts'
import { sliceRaw } from '../src/core/stage/slice-raw.ts'
import type { Pace } from '../src/core/stage/paced.ts'

/** Sets the size of the parts of batches. */
export interface DivideOptions {
  /** Maximum of bytes of a part, if it has more than one record: of its values, or of its credit if that is more. Default 1 MiB. */
  readonly bytesMax?: number
  /** Measures how long the operators after this one take: parts are smaller if they are slow. */
  readonly pace?: Pick<Pace, 'bytesFor'>
}

const BYTES_MAX = 1024 * 1024
/** Bytes of a part as long as nothing is known of the operators after this one. */
const BYTES_AT_FIRST = 256 * 1024
/** Smaller parts cost more than they help. */
const BYTES_MIN = 32 * 1024
/** Records have at least this many bytes for the division: empty ones cost time too. */
const RECORD_BYTES_MIN = 32
/** Time that a part should take at most, in milliseconds. */
const PART_MS = 20

/**
 * Divides large batches, so that the operators after it never work on one for long: the event loop runs between two parts,
 * and threads share them. The parts form the same chain of offsets and hold the same credit. Smaller batches are passed on
 * unchanged.
 */
export function divideBatches(options: DivideOptions = {}): MonoTypeOperatorFunction<Batch<Raw>> {
  const { bytesMax = BYTES_MAX, pace } = options
  return concatMap((batch: Batch<Raw>) => {
    if (pace === undefined) return partsOf(batch, bytesMax)
    const wanted = pace.bytesFor(PART_MS) ?? BYTES_AT_FIRST
    return partsOf(batch, Math.min(bytesMax, Math.max(BYTES_MIN, wanted)))
  })
}

function partsOf(batch: Batch<Raw>, bytesMax: number): readonly Batch<Raw>[] {
  const { payload: raw, provenance } = batch
  // Credit counts the columns of a row, which may take more time than its value.
  const recordBytes = Math.max(RECORD_BYTES_MIN, provenance.bytes / raw.count)
  const ends = partEnds(raw, bytesMax, recordBytes)
  if (ends.length <= 1) return [batch]
  const parts: Batch<Raw>[] = []
  let { follows, first } = provenance
  let creditLeft = provenance.bytes
  for (const [index, end] of ends.entries()) {
    const start = ends[index - 1] ?? 0
    const payload = sliceRaw(raw, start, end)
    if (payload === undefined) return [batch]
    const isLast = index === ends.length - 1
    const last = isLast ? provenance.last : (raw.offsets[end - 1] as bigint)
    const bytes = isLast ? creditLeft : Math.floor((provenance.bytes * (end - start)) / raw.count)
    creditLeft -= bytes
    parts.push({
      payload,
      provenance: {
        ...provenance,
        follows,
        first,
        last,
        bytes,
        records: end - start,
        // The fetch and its producers are told once.
        traceparents: index === 0 ? provenance.traceparents : [],
        timings: index === 0 ? [...provenance.timings] : [],
      },
    })
    follows = last
    first = raw.offsets[end] ?? last
  }
  return parts
}

/** Returns the indexes behind the last record of each part. */
function partEnds(
  { count, valueStart, valueEnd, offsets }: Raw,
  bytesMax: number,
  recordBytes: number,
): readonly number[] {
  const ends: number[] = []
  let bytes = 0
  for (let i = 0; i < count; i++) {
    bytes += Math.max(recordBytes, (valueEnd[i] as number) - (valueStart[i] as number))
    // A part ends behind all records of one offset.
    if (bytes < bytesMax || i === count - 1 || offsets[i] === offsets[i + 1]) continue
    ends.push(i + 1)
    bytes = 0
  }
  if (count > 0) ends.push(count)
  return ends
}
