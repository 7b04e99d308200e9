import { sealBatch } from '../../kafka/produce/record-batch.ts'

const BATCH_BYTES = 78
const TRANSACTIONAL_CONTROL = 0x30
/** Markers have no sequence numbers. */
const NO_SEQUENCE = -1
const KIND_AT = 69

/**
 * Returns the batch that ends a transaction in a partition: one record whose key is the type of the marker, and whose
 * value is its version and the epoch of the coordinator. Spec: "Control Batches".
 */
export function endMarkerOf(
  kind: 'commit' | 'abort',
  {
    producerId,
    producerEpoch,
    offset,
    nowMs,
  }: { producerId: bigint; producerEpoch: number; offset: bigint; nowMs: number },
): Buffer {
  const batch = Buffer.alloc(BATCH_BYTES)
  batch.writeBigInt64BE(offset, 0)
  batch.writeInt32BE(BATCH_BYTES - 12, 8)
  batch[16] = 2
  batch.writeInt16BE(TRANSACTIONAL_CONTROL, 21)
  batch.writeBigInt64BE(BigInt(nowMs), 27)
  batch.writeBigInt64BE(BigInt(nowMs), 35)
  batch.writeInt32BE(1, 57)
  // Record: length, attributes, timestamp delta, offset delta, key of four bytes, value of six bytes, no headers.
  batch.set([32, 0, 0, 0, 8, 0, 0, 0, kind === 'commit' ? 1 : 0, 12, 0, 0, 0, 0, 0, 0, 0], 61)
  sealBatch(batch, { id: producerId, epoch: producerEpoch }, NO_SEQUENCE)
  return batch
}

/** Returns how a marker of `endMarkerOf` ends its transaction. */
export function endOfMarker(batch: Uint8Array): 'commit' | 'abort' {
  return batch[KIND_AT] === 1 ? 'commit' : 'abort'
}
