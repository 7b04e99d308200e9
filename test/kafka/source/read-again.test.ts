// A source that ends (`until: 'latest'`) and what is read again before it does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastValueFrom, toArray } from 'rxjs'
import { appIdOf } from '../../../operators/commit-delta.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { Credit } from '../../../src/core/credit/credit.ts'
import { loadContract } from '../../../src/contract/contract.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { createSource } from '../../../src/kafka/source/consumer-source.ts'
import { pipeline } from '../../../src/pipeline.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { sortedRows } from '../../delta/rows-table.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { readToEnd } from '../reading.ts'
import { numbered, testTopic } from '../topic.ts'

const RECORDS = 50

test('a flush that another writer fences at the end is read again before the chain completes', async () => {
  const { brokers, topic, produce } = await testTopic(2)
  await produce([...numbered(0, RECORDS), ...numbered(1, RECORDS)])
  const contract = loadContract(
    { type: 'object', required: ['i'], properties: { i: { type: 'integer' } } },
    { source: 'numbers' },
  )
  const store = new MemoryStore()
  await createTable(store, { schema: contract.schema, partitionColumns: [] })
  const table = await openTableWriter(store)
  const credit = new Credit(64 * 1024 * 1024)
  const source = createSource({
    brokers,
    clientId: 'test',
    groupId: topic,
    topic,
    startFrom: 'earliest',
    resume: (partition) => table.txn(appIdOf('numbers', partition)),
    credit,
    costBytes: (raw) => raw.bytes.length,
    until: 'latest',
    fetchWaitMsMax: 200,
  })
  let fences = 0
  let taken: Promise<unknown> | undefined
  // Another writer takes the first ten records of one partition while the first flush, which has both, is formed.
  const take = async (): Promise<void> => {
    const other = await openTableWriter(store)
    const txn = { appId: appIdOf('numbers', 0), version: 9n, lastUpdated: Date.now(), follows: undefined }
    await other.append({ adds: [], txns: [txn], operationParameters: {}, operationMetrics: {} })
  }
  const commits = pipeline(
    source.batches,
    {
      source,
      credit,
      format: {
        ...jsonFormat({ schema: contract.schema, plain: contract.plain }),
        prepare: () => (taken ??= take()).then(() => undefined),
      },
      contract,
      enrichments: [],
      store,
      table,
      appId: 'numbers',
      deadLetters: { write: () => Promise.resolve() },
      onFenced: () => fences++,
    },
    {
      partitionColumns: [],
      flush: { count: 1_000_000, bytes: 2 ** 30, ageMs: 600_000 },
      parquet: { compression: 'zstd', rowGroupRows: 1_000 },
    },
  )
  try {
    await lastValueFrom(commits.pipe(toArray()))
  } finally {
    await source.close()
  }
  assert.ok(fences > 0)
  const rows = (await sortedRows(store)).map((line) => (JSON.parse(line) as { readonly i: number }).i)
  // The other writer has committed no rows for its ten.
  const expected = [...numbers(10, RECORDS), ...numbers(0, RECORDS)]
  assert.deepEqual(
    rows.toSorted((a, b) => a - b),
    expected.toSorted((a, b) => a - b),
  )
  assert.equal(credit.taken, 0)
})

test('a second subscription to a source fails by name, also after the first has completed', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 5))
  const { source } = await readToEnd(topic, { groupId: nameForTests('group') })
  await assert.rejects(lastValueFrom(source.batches.pipe(toArray())), (error) => {
    assert.ok(error instanceof PipelineError)
    assert.deepEqual([error.code, error.retryable], ['KD_SOURCE_FAILED', false])
    assert.match(error.message, /subscribed to a second time/)
    return true
  })
})

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}
