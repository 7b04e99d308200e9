import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { createFetcher } from '../../../src/kafka/fetch/fetcher.ts'
import { listOffsets } from '../../../src/kafka/fetch/list-offsets.ts'
import { openRecordCodecs } from '../../../src/kafka/records/record-codecs.ts'
import type { Isolation } from '../../../src/kafka/records/read-records.ts'
import { openCluster } from '../../../src/kafka/wire/open-cluster.ts'
import { kafkaForTests } from '../../support/servers/servers.ts'
import { testTopic } from '../topic.ts'
import { linesOf, writeByJava } from './support/transactions.ts'

const PARTITIONS = 3
const codecs = await openRecordCodecs()
const brokers = await kafkaForTests()
const cluster = openCluster({
  brokers,
  clientId: 'test',
  openSocket: ({ host, port, onConnect }) => connect({ host, port }, onConnect),
})
after(() => cluster.close())

interface Asked {
  readonly topic: string
  readonly isolation: Isolation
  readonly from: readonly bigint[]
  readonly ends: readonly bigint[]
  readonly bytesMax: number
}

/** Reads all partitions up to their ends. */
async function readAll({ topic, isolation, from, ends, bytesMax }: Asked): Promise<string[][]> {
  const lines: string[][] = from.map(() => [])
  await new Promise<void>((resolve, reject) => {
    const next = [...from]
    const done = (): boolean => next.every((offset, partition) => offset >= (ends[partition] ?? 0n))
    const fetcher = createFetcher({
      cluster,
      codecs,
      isolation,
      partitionBytesMax: bytesMax,
      fetchBytesMax: 4 * bytesMax,
      fetchWaitMs: 100,
      deliver: ({ partition, raw, first, last }) => {
        assert.equal(first, next[partition])
        next[partition] = last + 1n
        lines[partition]?.push(...linesOf(raw))
        if (done()) void fetcher.close().then(resolve, reject)
        return undefined
      },
      onEvent: (event) => {
        if (event.kind !== 'failed') return
        void fetcher.close()
        reject(event.error)
      },
    })
    for (const [partition, offset] of from.entries()) fetcher.seek(topic, partition, offset)
    if (done()) void fetcher.close().then(resolve, reject)
  })
  return lines
}

test('Records of interleaved transactions are exactly those that Kafka’s own consumer reads, from every offset', async (t) => {
  const { topic } = await testTopic(PARTITIONS)
  const seed = Number(process.env['TEST_SEED'] ?? 1)
  t.diagnostic(`seed ${seed}`)
  const { seen, ends } = await writeByJava(brokers[0] ?? '', topic, PARTITIONS, seed, 400)
  const offsets = await listOffsets(
    cluster,
    ends.map((_, partition) => ({ topic, partition, at: 'latest' })),
    { isolation: 'read_committed' },
  )
  assert.deepEqual(
    offsets.map((found) => found?.offset),
    ends,
  )
  const starts = Array.from({ length: PARTITIONS }, () => 0n)
  for (const isolation of ['read_committed', 'read_uncommitted'] as const) {
    const expected = seen[isolation]
    assert.ok(expected.every((lines) => lines.length > 50))
    for (const bytesMax of [1_024, 20_000, 1_048_576])
      assert.deepEqual(await readAll({ topic, isolation, from: starts, ends, bytesMax }), expected)
  }
  assert.notDeepEqual(seen.read_committed, seen.read_uncommitted)
  // Restarts at offsets across the log, also inside of batches and of open transactions.
  for (let step = 0; step < 30; step++) {
    const from = ends.map((end) => (end * BigInt(step)) / 30n + BigInt(step % 7))
    const lines = await readAll({
      topic,
      isolation: 'read_committed',
      from,
      ends,
      bytesMax: 1_024 << (step % 6),
    })
    const expected = seen.read_committed.map((all, partition) =>
      all.filter((line) => BigInt(line.slice(0, line.indexOf(' '))) >= (from[partition] ?? 0n)),
    )
    assert.deepEqual(lines, expected, `from ${from.join(', ')}`)
  }
})
