import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { keyOf, valueOf } from '../../../src/core/raw.ts'
import { encodeBatch, encodeMarker, encodeMessage, encodeWrapper, withChecksum } from './support/encode.ts'
import { chanceOf, type Chance } from './support/log-model.ts'
import { CODECS, readAll } from './support/read-all.ts'

const SEEDS = 6_000
/** Maximum decompressed size in these tests. */
const BATCH_BYTES_MAX = 64 * 1024
const value = (text: string): { key: Buffer; value: Buffer; headers: [string, Buffer][] } => ({
  key: Buffer.from('key'),
  value: Buffer.from(text),
  headers: [['h', Buffer.from('v')]],
})
const records = [value('first'), { key: null, value: null }, value('third'.repeat(40))]
const message = (magic: 0 | 1, offset: bigint): Parameters<typeof encodeMessage>[0] => ({
  magic,
  offset,
  value: Buffer.from('legacy'.repeat(9)),
})
const LOGS: readonly Buffer[] = [
  encodeBatch({ baseOffset: 0n, records }),
  ...(['gzip', 'snappy', 'lz4', 'zstd'] as const).map((codec) =>
    encodeBatch({ baseOffset: 0n, records, codec }, CODECS),
  ),
  encodeMarker(0n, 4n, 'abort'),
  encodeMessage(message(0, 0n)),
  encodeMessage(message(1, 0n)),
  encodeWrapper('gzip', [message(1, 0n), message(1, 1n)], CODECS),
  encodeWrapper('snappy', [message(0, 0n), message(0, 1n)], CODECS),
]

/** Reads the log and checks the memory bounds of the results. */
function readOrRefuse(log: Buffer, from: bigint): void {
  try {
    const reads = readAll(log, { from, batchBytesMax: BATCH_BYTES_MAX, readBytesMax: 1_000 })
    let next = from
    let previous = -1n
    for (const read of reads) {
      const { raw } = read
      assert.ok(read.next >= next)
      next = read.next
      // Every record takes at least seven bytes.
      assert.ok(raw.count * 7 <= Math.max(log.length, 1_000 + BATCH_BYTES_MAX))
      assert.ok(
        raw.bytes.buffer.byteLength + raw.keys.buffer.byteLength <=
          2 * (log.length + 1_000 + BATCH_BYTES_MAX),
      )
      for (let i = 0; i < raw.count; i++) {
        const offset = raw.offsets[i] as bigint
        assert.ok(offset > previous && offset >= from && offset < next)
        previous = offset
        const end = raw.valueEnd[i] as number
        if (valueOf(raw, i) !== undefined) assert.equal(raw.bytes[end], 10)
        assert.ok((keyOf(raw, i)?.length ?? 0) <= raw.keys.length)
      }
      assert.equal(raw.headers?.length ?? raw.count, raw.count)
    }
  } catch (error) {
    assert.ok(error instanceof PipelineError && error.code === 'KD_RECORDS_CORRUPT', String(error))
  }
}

function mutate(log: Buffer, chance: Chance): Buffer {
  const mutated = Buffer.from(log)
  for (let times = 1 + chance(3); times > 0; times--) {
    const at = chance(mutated.length)
    const choice = chance(4)
    if (choice === 0) mutated[at] = chance(256)
    else if (choice === 1) mutated[at] = (mutated[at] as number) ^ (1 << chance(8))
    else if (choice === 2) mutated.fill(255, at, Math.min(mutated.length, at + 1 + chance(5)))
    else mutated.copyWithin(at, chance(mutated.length), chance(mutated.length))
  }
  return mutated
}

/** Corrects the checksum, so that the bytes after it are parsed. */
function mended(log: Buffer, chance: Chance): Buffer {
  if (log.length < 61 || log[16] !== 2) return log
  if (chance(2) === 0) log.writeInt32BE(log.length - 12, 8)
  return withChecksum(log)
}

test('Truncated or changed bytes with wrong lengths and counts are refused or read within the memory bounds', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const chance = chanceOf(seed)
    const original = LOGS[chance(LOGS.length)] as Buffer
    let log = mutate(original, chance)
    if (chance(4) > 0) log = mended(log, chance)
    if (chance(4) === 0) log = log.subarray(0, chance(log.length + 1))
    if (chance(4) === 0) log = Buffer.concat([log, LOGS[chance(LOGS.length)] as Buffer])
    try {
      readOrRefuse(log, BigInt(chance(3)))
    } catch (error) {
      throw new Error(`seed ${seed}: ${log.toString('hex')}`, { cause: error })
    }
  }
})

test('Random bytes are refused, or read as a truncated batch', () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const chance = chanceOf(seed)
    const log = Buffer.from(Array.from({ length: chance(200) }, () => chance(256)))
    if (log.length > 16) log[16] = chance(3)
    readOrRefuse(log, 0n)
  }
})
