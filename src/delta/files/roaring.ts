/** A `RowSet` is a set of row indexes, whole numbers from 0. */
export interface RowSet {
  /** Number of rows in the set. */
  readonly size: number
  /** Largest row index; -1 if the set is empty. */
  readonly last: number
  has(row: number): boolean
}

/** Set of 16-bit numbers in one of the three encodings of the format. */
interface Container {
  readonly size: number
  readonly last: number
  has(low: number): boolean
}

/** Magic number. Spec: "Deletion Vector Format". */
const MAGIC = 1_681_511_377

/** Cookies at the start of a 32-bit bitmap: without and with run containers. */
const COOKIE_WITHOUT_RUNS = 12_346
const COOKIE_WITH_RUNS = 12_347

/** A bitmap with runs and fewer containers than this has no offsets. */
const CONTAINERS_WITH_OFFSETS = 4

/** Maximum of numbers in an array container. */
const ARRAY_SIZE_MAX = 4_096
const BITMAP_BYTES = 8_192

/** Row indexes are JavaScript numbers: larger keys are not exact, and no file has that many rows. */
const KEY_MAX = 2 ** 21 - 1

/**
 * Decodes a `RoaringBitmapArray`: the magic number, then a 64-bit Roaring bitmap in its portable form. The set refers
 * to the bytes, which must not change afterwards. The structure is validated completely. Spec: "Deletion Vector
 * Format".
 * @throws RangeError with the position of the fault
 */
export function decodeRowSet(bytes: Uint8Array): RowSet {
  const input = new Input(bytes)
  const magic = input.uint32()
  if (magic !== MAGIC) throw new RangeError(`the magic number is ${magic}, not ${MAGIC}`)
  const buckets = input.uint64()
  const containers = new Map<number, Container>()
  let size = 0
  let lastKey = -1
  let last = -1
  for (let bucket = 0n; bucket < buckets; bucket++) {
    const key = input.uint32()
    if (key <= lastKey || key > KEY_MAX) throw new RangeError(`bucket ${bucket} has the key ${key}`)
    lastKey = key
    for (const [high, container] of decodeBitmap(input)) {
      containers.set(key * 0x1_0000 + high, container)
      last = (key * 0x1_0000 + high) * 0x1_0000 + container.last
      size += container.size
    }
  }
  if (input.left > 0) throw new RangeError(`${input.left} bytes follow the bitmap`)
  return {
    size,
    last,
    has: (row) => containers.get(Math.floor(row / 0x1_0000))?.has(row % 0x1_0000) ?? false,
  }
}

/** Decodes a 32-bit bitmap: its containers by the upper 16 bits of their numbers, ascending. */
function* decodeBitmap(input: Input): Generator<readonly [high: number, Container]> {
  const start = input.at
  const cookie = input.uint32()
  const withRuns = (cookie & 0xffff) === COOKIE_WITH_RUNS
  if (!withRuns && cookie !== COOKIE_WITHOUT_RUNS) throw new RangeError(`the cookie ${cookie} is invalid`)
  const count = withRuns ? (cookie >>> 16) + 1 : input.uint32()
  if (count > 0x1_0000) throw new RangeError(`a bitmap has ${count} containers`)
  const runs = withRuns ? input.bytes(Math.ceil(count / 8)) : new Uint8Array(0)
  const header = new Input(input.bytes(count * 4))
  const hasOffsets = !withRuns || count >= CONTAINERS_WITH_OFFSETS
  const offsets = hasOffsets ? new Input(input.bytes(count * 4)) : undefined
  let last = -1
  for (let index = 0; index < count; index++) {
    const high = header.uint16()
    const size = header.uint16() + 1
    if (high <= last) throw new RangeError(`container ${index} has the key ${high} after ${last}`)
    last = high
    const offset = offsets?.uint32()
    if (offset !== undefined && offset !== input.at - start) {
      throw new RangeError(`container ${index} lies at ${input.at - start}, not at ${offset}`)
    }
    const isRun = (((runs[index >> 3] ?? 0) >> (index & 7)) & 1) === 1
    if (isRun) yield [high, runContainer(input, size)]
    else yield [high, size > ARRAY_SIZE_MAX ? bitmapContainer(input, size) : arrayContainer(input, size)]
  }
}

function arrayContainer(input: Input, size: number): Container {
  const values = input.uint16s(size)
  for (let index = 1; index < size; index++) {
    if ((values[index] as number) <= (values[index - 1] as number))
      throw new RangeError('an array is not sorted')
  }
  return {
    size,
    last: values[size - 1] as number,
    has: (low) => values[countUpTo(values, 1, low) - 1] === low,
  }
}

function bitmapContainer(input: Input, size: number): Container {
  const bits = input.bytes(BITMAP_BYTES)
  let [held, last] = [0, 0]
  bits.forEach((byte, index) => {
    if (byte !== 0) last = index * 8 + 31 - Math.clz32(byte)
    for (let rest = byte; rest !== 0; rest &= rest - 1) held++
  })
  if (held !== size) throw new RangeError(`a bitmap holds ${held} numbers, its header says ${size}`)
  return { size, last, has: (low) => (((bits[low >> 3] as number) >> (low & 7)) & 1) === 1 }
}

/** Decodes runs: pairs of a first number and the count of numbers that follow it. */
function runContainer(input: Input, size: number): Container {
  const pairs = input.uint16s(input.uint16() * 2)
  let held = 0
  let end = -1
  for (let index = 0; index < pairs.length; index += 2) {
    const [first, more] = [pairs[index] as number, pairs[index + 1] as number]
    if (first <= end || first + more > 0xffff) throw new RangeError('runs overlap or leave their container')
    end = first + more
    held += more + 1
  }
  if (held !== size) throw new RangeError(`runs hold ${held} numbers, their header says ${size}`)
  return {
    size,
    last: end,
    has: (low) => {
      const at = (countUpTo(pairs, 2, low) - 1) * 2
      return at >= 0 && low <= (pairs[at] as number) + (pairs[at + 1] as number)
    },
  }
}

/** Counts the values at every `step`th position of the sorted array that are not greater than `low`. */
function countUpTo(values: Uint16Array, step: 1 | 2, low: number): number {
  let [from, to] = [0, values.length / step]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((values[middle * step] as number) <= low) from = middle + 1
    else to = middle
  }
  return from
}

/** Reads little-endian numbers from the front of bytes. */
class Input {
  readonly #view: DataView
  at = 0

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#view.byteLength - this.at
  }

  uint16(): number {
    return this.#view.getUint16(this.#skip(2), true)
  }

  uint32(): number {
    return this.#view.getUint32(this.#skip(4), true)
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#skip(8), true)
  }

  bytes(length: number): Uint8Array {
    const start = this.#skip(length)
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, length)
  }

  uint16s(count: number): Uint16Array {
    // Numbers may start at odd addresses.
    const start = this.#skip(count * 2)
    return Uint16Array.from({ length: count }, (_, index) => this.#view.getUint16(start + index * 2, true))
  }

  /** Returns the start of the next `length` bytes and advances past them. */
  #skip(length: number): number {
    if (length > this.left) throw new RangeError(`the bytes end at ${this.#view.byteLength}`)
    const start = this.at
    this.at += length
    return start
  }
}
