/**
 * Parses `--seek_offsets`, such as `{"0":123,"1":321}`, into offsets ascending by partition. Invalid partitions and
 * offsets are reported.
 */
export function seekOffsetsOf(
  text: string | undefined,
  report: (fault: string) => void,
): ReadonlyMap<number, bigint> {
  if (text === undefined || text.trim() === '') return new Map()
  const expected = '--seek_offsets: expected a JSON object such as {"0":123,"1":321}'
  let offsets: unknown
  try {
    offsets = JSON.parse(text)
  } catch {
    report(`${expected}, got ${text}`)
    return new Map()
  }
  if (typeof offsets !== 'object' || offsets === null || Array.isArray(offsets)) {
    report(`${expected}, got ${text}`)
    return new Map()
  }
  const found: [number, bigint][] = []
  for (const [partition, offset] of Object.entries(offsets)) {
    if (!/^\d{1,9}$/.test(partition)) report(`--seek_offsets: expected a partition number, got ${partition}`)
    else if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0)
      report(
        `--seek_offsets: partition ${partition}: expected an offset of at least 0, got ${JSON.stringify(offset)}`,
      )
    else found.push([Number(partition), BigInt(offset)])
  }
  return new Map(found.sort(([a], [b]) => a - b))
}
