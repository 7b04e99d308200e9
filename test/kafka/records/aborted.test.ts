import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyOf, valueOf, type Raw } from '../../../src/core/raw.ts'
import { AbortedFilter } from '../../../src/kafka/records/aborted.ts'
import { openRecordCodecs } from '../../../src/kafka/records/record-codecs.ts'
import { readRecords, type Isolation } from '../../../src/kafka/records/read-records.ts'
import { encodeBatch, encodeMarker } from './support/encode.ts'
import { chanceOf, LogModel, textOf, type Chance } from './support/log-model.ts'

const SEEDS = 2_000
const codecs = await openRecordCodecs()

function textsOf(raw: Raw): string[] {
  return Array.from(raw.offsets, (offset, i) =>
    textOf(offset, keyOf(raw, i) ?? null, valueOf(raw, i) ?? null),
  )
}

function readLog(log: LogModel, start: bigint, isolation: Isolation, chance: Chance): string[] {
  const end = isolation === 'read_committed' ? log.lastStableOffset : log.end
  const seen: string[] = []
  let from = start
  while (from < end) {
    const answer = log.fetch(from, isolation, chance(1 + chance(600)))
    let next = from
    for (const read of readRecords({
      topic: 't',
      partition: 0,
      from,
      isolation,
      codecs,
      // Sometimes each batch is a separate read.
      readBytesMax: chance(3) === 0 ? 1 : 1_000_000,
      ...answer,
    })) {
      seen.push(...textsOf(read.raw))
      assert.ok(read.next >= next, 'the next offset never goes back')
      next = read.next
    }
    if (next === from) {
      // Only if compaction removed everything up to the end.
      assert.equal(answer.records.length, 0)
      break
    }
    from = next
  }
  return seen
}

test('The records of the model are read exactly, from every offset and with responses of any size', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const chance = chanceOf(seed)
    const log = new LogModel(chance, codecs)
    for (let from = log.first; from <= log.end; from++)
      for (const isolation of ['read_committed', 'read_uncommitted'] as const)
        assert.deepEqual(
          readLog(log, from, isolation, chance),
          log.visible(from, isolation),
          `seed ${seed}, ${isolation} from ${from}`,
        )
  }
})

const value = (text: string): { key: Buffer; value: Buffer } => ({
  key: Buffer.alloc(4),
  value: Buffer.from(text),
})

function committed(records: Buffer, aborted: readonly (readonly [bigint, bigint])[], from = 0n): string[] {
  const abortedTransactions = aborted.map(([producerId, firstOffset]) => ({ producerId, firstOffset }))
  const request = {
    topic: 't',
    partition: 0,
    from,
    isolation: 'read_committed',
    lastStableOffset: -1n,
  } as const
  return [
    ...readRecords({ ...request, records: Uint8Array.from(records), abortedTransactions, codecs }),
  ].flatMap(({ raw }) =>
    Array.from({ length: raw.count }, (_, i) => Buffer.from(valueOf(raw, i) ?? []).toString()),
  )
}

test('A key of four zero bytes ends no transaction', () => {
  const log = Buffer.concat([
    encodeBatch({ baseOffset: 0n, producerId: 7n, isTransactional: true, records: [value('a'), value('b')] }),
    encodeBatch({ baseOffset: 2n, producerId: 7n, isTransactional: true, records: [value('c')] }),
    encodeMarker(3n, 7n, 'abort'),
    encodeBatch({ baseOffset: 4n, producerId: 7n, isTransactional: true, records: [value('d')] }),
    encodeMarker(5n, 7n, 'commit'),
  ])
  assert.deepEqual(committed(log, [[7n, 0n]]), ['d'])
})

test('Transactions are applied in the order of their first offsets, in whatever order the broker lists them', () => {
  const batch = (baseOffset: bigint, producerId: bigint, text: string): Buffer =>
    encodeBatch({ baseOffset, producerId, isTransactional: true, records: [value(text)] })
  const log = Buffer.concat([
    batch(0n, 1n, 'a'),
    batch(1n, 2n, 'b'),
    encodeMarker(2n, 2n, 'abort'),
    batch(3n, 1n, 'c'),
    batch(4n, 3n, 'd'),
    encodeMarker(5n, 1n, 'abort'),
    encodeMarker(6n, 3n, 'commit'),
  ])
  const listed = [
    [2n, 1n],
    [1n, 0n],
  ] as const
  assert.deepEqual(committed(log, listed), ['d'])
  // A fetch that starts inside both transactions.
  assert.deepEqual(committed(log.subarray(batch(0n, 1n, 'a').length), listed, 1n), ['d'])
})

test('A commit marker ends no aborted transaction, and a batch outside of transactions is never hidden', () => {
  const log = Buffer.concat([
    encodeBatch({ baseOffset: 0n, producerId: 1n, records: [value('plain')] }),
    encodeMarker(1n, 1n, 'commit'),
    encodeBatch({ baseOffset: 2n, producerId: 1n, isTransactional: true, records: [value('hidden')] }),
  ])
  assert.deepEqual(committed(log, [[1n, 0n]]), ['plain'])
})

test('A control batch of a producer without an id is skipped too', () => {
  const filter = new AbortedFilter([])
  const header = { producerId: -1n, isControl: true, isTransactional: false }
  const isHidden = filter.isHidden(header, 0n, () => assert.fail('no marker is looked for'))
  assert.equal(isHidden, true)
})

test('A control record with a short key, or of a version below 0, is an error', () => {
  for (const key of [null, Buffer.alloc(3), Buffer.from([0xff, 0xff, 0, 0])]) {
    const log = encodeBatch({
      baseOffset: 9n,
      producerId: 1n,
      isControl: true,
      records: [{ key, value: null }],
    })
    assert.throws(() => committed(log, [], 9n), { code: 'KD_RECORDS_CORRUPT' })
  }
})
