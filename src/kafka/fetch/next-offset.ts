import { ENTRY_HEADER_BYTES, LAST_OFFSET_DELTA_AT, MAGIC_AT } from '../records/batch-header.ts'

/**
 * Returns the offset after the last complete entry in the records of a fetch response, from the headers alone. It is an
 * estimate that allows sending the next request before the records are read. Returns `from` if no entry is complete.
 */
export function guessNextOffset(records: Uint8Array | null, from: bigint): bigint {
  if (records === null) return from
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength)
  let next = from
  for (let at = 0; at + LAST_OFFSET_DELTA_AT + 4 <= records.length;) {
    const length = view.getInt32(at + 8)
    const end = at + ENTRY_HEADER_BYTES + length
    if (length <= 0 || end > records.length) break
    const delta = view.getInt8(at + MAGIC_AT) === 2 ? view.getInt32(at + LAST_OFFSET_DELTA_AT) : 0
    next = view.getBigInt64(at) + BigInt(delta) + 1n
    at = end
  }
  return next > from ? next : from
}
