import { lazyHeaders, type Raw } from '../raw.ts'

/**
 * Returns the records from `start` to `end` of a batch, which share its bytes; `undefined` when they cannot be a batch of their
 * own: several records come from one message, or their values are not in ascending order.
 */
export function sliceRaw(raw: Raw, start: number, end: number): Raw | undefined {
  if (raw.parts !== undefined || raw.origin !== undefined) return undefined
  const range = rangeOf(raw, start, end)
  if (range === undefined) return undefined
  const { headers, appended } = raw
  const count = end - start
  const moved = (positions: Int32Array): Int32Array =>
    positions.subarray(start, end).map((at) => (at < 0 ? at : at - range.from))
  return {
    topic: raw.topic,
    partition: raw.partition,
    count,
    bytes: raw.bytes.subarray(range.from, range.to),
    valueStart: moved(raw.valueStart),
    valueEnd: moved(raw.valueEnd),
    keys: raw.keys,
    keyStart: raw.keyStart.subarray(start, end),
    keyEnd: raw.keyEnd.subarray(start, end),
    offsets: raw.offsets.subarray(start, end),
    timestampsMs: raw.timestampsMs.subarray(start, end),
    headers: headers === undefined ? undefined : lazyHeaders(count, (i) => headers[start + i]),
    ...(appended === undefined ? {} : { appended: appended.subarray(start, end) }),
  }
}

/** Returns the range of the bytes of values, with the newline behind the last one. */
function rangeOf(
  { valueStart, valueEnd, bytes }: Raw,
  start: number,
  end: number,
): { readonly from: number; readonly to: number } | undefined {
  let from = -1
  let to = 0
  for (let i = start; i < end; i++) {
    const at = valueStart[i] as number
    if (at < 0) continue
    if (at < to) return undefined
    if (from < 0) from = at
    to = valueEnd[i] as number
  }
  return from < 0 ? { from: 0, to: 0 } : { from, to: Math.min(to + 1, bytes.length) }
}
