/** Container to encode: its key, the count of its numbers, whether it holds runs, its bytes. */
interface Written {
  readonly high: number
  readonly size: number
  readonly isRun: boolean
  readonly body: Buffer
}

/** Encoding of the numbers of one container. */
export type Encoding = 'array' | 'bitmap' | 'runs'

/**
 * Encodes ascending row indexes as a `RoaringBitmapArray`; `encoding` chooses the kind of each container. Spec:
 * "Deletion Vector Format".
 */
export function encodeRows(rows: readonly number[], encoding: (high: number) => Encoding): Buffer {
  const buckets = grouped(rows, 2 ** 32)
  const parts = [uint32(1_681_511_377), uint64(buckets.size)]
  for (const [key, lows] of buckets) {
    const containers = [...grouped(lows, 2 ** 16)].map(([high, values]) =>
      container(high, values, encoding(high)),
    )
    parts.push(uint32(key), bitmap(containers))
  }
  return Buffer.concat(parts)
}

function bitmap(containers: readonly Written[]): Buffer {
  const withRuns = containers.some(({ isRun }) => isRun)
  const head = withRuns
    ? [uint32(((containers.length - 1) << 16) | 12_347), runFlags(containers)]
    : [uint32(12_346), uint32(containers.length)]
  const header = containers.flatMap(({ high, size }) => [uint16(high), uint16(size - 1)])
  const parts = [...head, ...header]
  if (!withRuns || containers.length >= 4) {
    let at = Buffer.concat(parts).length + containers.length * 4
    for (const { body } of containers) {
      parts.push(uint32(at))
      at += body.length
    }
  }
  return Buffer.concat([...parts, ...containers.map(({ body }) => body)])
}

function runFlags(containers: readonly Written[]): Buffer {
  const flags = Buffer.alloc(Math.ceil(containers.length / 8))
  containers.forEach(({ isRun }, index) => {
    if (isRun) flags[index >> 3] = (flags[index >> 3] ?? 0) | (1 << (index & 7))
  })
  return flags
}

function container(high: number, values: readonly number[], encoding: Encoding): Written {
  const size = values.length
  if (encoding === 'array') return { high, size, isRun: false, body: Buffer.concat(values.map(uint16)) }
  if (encoding === 'bitmap') {
    const body = Buffer.alloc(8_192)
    for (const value of values) body[value >> 3] = (body[value >> 3] ?? 0) | (1 << (value & 7))
    return { high, size, isRun: false, body }
  }
  const runs: [first: number, more: number][] = []
  for (const value of values) {
    const run = runs.at(-1)
    if (run !== undefined && value === run[0] + run[1] + 1) run[1]++
    else runs.push([value, 0])
  }
  return { high, size, isRun: true, body: Buffer.concat([runs.length, ...runs.flat()].map(uint16)) }
}

/** Groups ascending numbers by their upper part; the values are the remainders. */
function grouped(values: readonly number[], width: number): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const value of values) {
    const key = Math.floor(value / width)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value % width])
    else group.push(value % width)
  }
  return groups
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
