/**
 * Tests a chain without Kafka and without a disk: row operators alone, flushes in virtual time, and the whole way from
 * records to the rows of a table, with a fence on the way.
 *
 * In your own project, import from 'kafka-delta' and 'kafka-delta/testing'.
 */
import assert from 'node:assert/strict'
import { firstValueFrom, lastValueFrom, map, of, toArray } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { memorySource, memoryTable, rowsOf } from '../src/entries/testing.ts'
import {
  bufferTimeOrCount,
  columns,
  contractOfColumns,
  filterRows,
  jsonFormat,
  objectsOf,
  partitionBy,
  pipeline,
  type Infer,
} from '../src/index.ts'

const payment = columns({ id: 'long', amount: 'double?' })

const contract = contractOfColumns(payment)

/** The operator under test. */
const paid = filterRows((row: Infer<typeof payment>) => row.amount !== null)

/** Tests an operator alone: rows in, rows out. */
export async function testOperator(): Promise<void> {
  const batch = rowsOf(payment, [{ id: 1, amount: 2.5 }, { id: 2 }])
  const { payload } = await firstValueFrom(of(batch).pipe(paid))
  assert.deepEqual(objectsOf(payload), [{ id: 1, amount: 2.5 }])
  assert.equal(payload.filtered, 1)
}

/** Tests flushes in virtual time: a buffer is flushed 5 s after its first batch. */
export function testFlushes(): void {
  const scheduler = new TestScheduler((actual, expected) => {
    assert.deepEqual(actual, expected)
  })
  scheduler.run(({ cold, expectObservable }) => {
    const batches = cold('a 999ms b', {
      a: rowsOf(payment, [{ id: 1 }]),
      b: rowsOf(payment, [{ id: 2 }], { firstOffset: 1n }),
    })
    const rows = batches.pipe(
      partitionBy([]),
      bufferTimeOrCount({ count: 1_000, bytes: 2 ** 20, ageMs: 5_000 }),
      map((flush) => flush.counts.rows),
    )
    expectObservable(rows, '10s !').toBe('5s n', { n: 2 })
  })
}

/** Tests the whole chain. Another process commits an offset first, so that the first flush is fenced and read again. */
export async function testChain(): Promise<void> {
  const { table, store, sink, deadLetters, rows, offset, fence } = await memoryTable(payment)
  const source = memorySource([{ id: 1, amount: 1 }, { id: 2 }, 'no json', { id: 3, amount: 3 }], {
    resume: async (partition) => {
      const held = await offset('payments', partition)
      // Just after this process has read where to resume, another one commits.
      if (held === undefined) await fence('payments', partition, 0n)
      return held
    },
    batchRecords: 2,
  })
  const commits = pipeline(
    source.batches,
    {
      source,
      credit: source.credit,
      format: jsonFormat({ schema: payment, plain: contract.plain }),
      contract,
      rows: filterRows((row) => row['amount'] !== null),
      enrichments: [],
      store,
      table,
      appId: 'payments',
      deadLetters: sink,
    },
    {
      partitionColumns: [],
      flush: { count: 2, bytes: 2 ** 20, ageMs: 60_000 },
      parquet: { compression: 'zstd', rowGroupRows: 1_000 },
    },
  )
  await lastValueFrom(commits.pipe(toArray()))
  assert.ok(source.resets.length > 0)
  // The other process has carried the record at offset 0.
  assert.deepEqual(await rows(), [{ id: 3, amount: 3 }])
  assert.deepEqual(
    deadLetters.map(({ offset: at }) => at),
    [2n],
  )
}
