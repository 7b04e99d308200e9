import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, test, type TestContext } from 'node:test'
import { createFetcher } from '../../../src/kafka/fetch/fetcher.ts'
import { listOffsets } from '../../../src/kafka/fetch/list-offsets.ts'
import type { Isolation } from '../../../src/kafka/records/read-records.ts'
import { openCluster } from '../../../src/kafka/wire/open-cluster.ts'
import { kafkaForTests } from '../../support/servers/servers.ts'
import { testTopic } from '../topic.ts'
import { chanceOf } from '../../support/values/chance.ts'
import { linesOf } from '../../transactions/support/lines.ts'
import { startWriters, type JavaReading } from '../../transactions/support/writers.ts'

const ISOLATIONS = ['read_committed', 'read_uncommitted'] as const
const FETCH_BYTES = [1_024, 5_000, 20_000, 200_000, 1_048_576]
const brokers = await kafkaForTests()
const cluster = openCluster({
  brokers,
  clientId: 'test',
  openSocket: ({ host, port, onConnect }) => connect({ host, port }, onConnect),
})
after(() => cluster.close())
const writers = await startWriters(brokers[0] ?? '')
after(() => writers.close())

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

test('Records of interleaved transactions are exactly those that Kafka’s own consumer reads', async (t) => {
  const { topic, seen, ends } = await written(t, 3, 120)
  const partitions = ends.read_committed.length
  for (const isolation of ISOLATIONS) {
    const offsets = await listOffsets(
      cluster,
      ends[isolation].map((_, partition) => ({ topic, partition, at: 'latest' })),
      { isolation },
    )
    assert.deepEqual(
      offsets.map((found) => found?.offset),
      ends[isolation],
    )
    assert.ok(seen[isolation].every((lines) => lines.length > 30))
    for (const bytesMax of FETCH_BYTES)
      assert.deepEqual(
        await readAll({
          topic,
          isolation,
          from: Array.from({ length: partitions }, () => 0n),
          ends: ends[isolation],
          bytesMax,
        }),
        seen[isolation],
      )
  }
  assert.notDeepEqual(seen.read_committed, seen.read_uncommitted)
})

test('Reading that begins at any offset, also inside of open and aborted transactions, sees exactly the rest', async (t) => {
  const { topic, seen, ends } = await written(t, 2, 40)
  const hidden = seen.read_uncommitted.flat().length - seen.read_committed.flat().length
  assert.ok(hidden > 20, 'offsets inside of aborted transactions')
  for (const isolation of ISOLATIONS) {
    const last = ends[isolation].reduce((max, end) => (end > max ? end : max))
    for (let start = 0n; start < last; start++) {
      const from = ends[isolation].map((end) => (start < end ? start : end))
      const bytesMax = FETCH_BYTES[Number(start) % FETCH_BYTES.length] ?? 0
      const lines = await readAll({ topic, isolation, from, ends: ends[isolation], bytesMax })
      const expected = seen[isolation].map((all, partition) =>
        all.filter((line) => BigInt(line.slice(0, line.indexOf(' '))) >= (from[partition] ?? 0n)),
      )
      assert.deepEqual(lines, expected, `from ${start}`)
    }
  }
})

/** Writes to a new topic with Java's and librdkafka's producers; some transactions stay open. */
async function written(
  t: TestContext,
  partitions: number,
  steps: number,
): Promise<JavaReading & { readonly topic: string }> {
  const { topic } = await testTopic(partitions)
  const { seed } = chanceOf(t)
  await writers.write(topic, { partitions, seed, steps, open: 1 + (seed % 2), transactions: 4 })
  return { topic, ...(await writers.read(topic, partitions)) }
}
