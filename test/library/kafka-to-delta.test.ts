// The chain in one call, with a real broker.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defer, lastValueFrom, map, repeat, retry, throwError, toArray } from 'rxjs'
import { filterRows } from '../../operators/rows/filter-rows.ts'
import { mapRows } from '../../operators/rows/map-rows.ts'
import type { RowOperator } from '../../operators/rows/row-operator.ts'
import type { DeadLetter } from '../../src/core/batch.ts'
import { PipelineError, type ErrorCode } from '../../src/core/errors.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import type { KafkaToDeltaOptions } from '../../src/library/chain-options.ts'
import { kafkaToDelta } from '../../src/library/kafka-to-delta.ts'
import { json } from '../../src/library/formats.ts'
import { columns } from '../../src/rows/row-schema.ts'
import type { Infer } from '../../src/rows/row-types.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { sortedRows } from '../delta/rows-table.ts'
import { numbered, testTopic, type TestTopic } from '../kafka/topic.ts'

const event = columns({ i: 'long' })
type Event = Infer<typeof event>
const doubled = columns({ i: 'long', twice: 'long' })

function optionsOf({ brokers, topic }: TestTopic, store: MemoryStore): KafkaToDeltaOptions<Event> {
  return {
    ...{ brokers, topic, groupId: topic, format: json(event), table: store, until: 'latest' },
    log: createLogger({ level: 'silent' }),
  }
}

async function numbersIn(store: MemoryStore): Promise<number[]> {
  const rows = (await sortedRows(store)).map((line) => (JSON.parse(line) as { readonly i: number }).i)
  return rows.sort((a, b) => a - b)
}

test('a chain creates the table with the columns after its operators, and the next subscription reads on', async () => {
  const topic = await testTopic(2)
  await topic.produce([...numbered(0, 10), ...numbered(1, 5, 100)])
  const store = new MemoryStore()
  const chain = kafkaToDelta(
    optionsOf(topic, store),
    filterRows(({ i }) => Number(i) % 2 === 0),
    mapRows(({ i }) => ({ i, twice: 2 * Number(i) }), doubled),
  )
  const commits = await lastValueFrom(chain.pipe(toArray()))
  assert.deepEqual(
    commits.map(({ counts }) => [counts.records, counts.rows, counts.filtered]),
    [[15, 8, 7]],
  )
  assert.deepEqual((await loadSnapshot(store)).metadata.schema, doubled)
  await topic.produce(numbered(0, 2, 1_000))
  const again = await lastValueFrom(chain.pipe(repeat(2), toArray()))
  assert.deepEqual(
    again.map(({ counts }) => counts.records),
    [2],
  )
  assert.deepEqual(await numbersIn(store), [0, 2, 4, 6, 8, 100, 102, 104, 1_000])
})

test('retry reads again what a failed subscription has not committed, and dead letters go to a sink of one’s own', async () => {
  const topic = await testTopic(1)
  await topic.produce([...numbered(0, 4), { partition: 0, value: 'no json' }, ...numbered(0, 4, 4)])
  const store = new MemoryStore()
  const letters: DeadLetter[] = []
  let subscriptions = 0
  const fails = (batches: Parameters<RowOperator<Event>>[0]): ReturnType<RowOperator<Event>> =>
    defer(() =>
      ++subscriptions === 1
        ? batches.pipe(
            map(() => {
              throw new TypeError('once')
            }),
          )
        : batches,
    )
  const chain = kafkaToDelta(
    {
      ...optionsOf(topic, store),
      deadLetters: { write: (more) => Promise.resolve(letters.push(...more)) },
    },
    fails,
  )
  const commits = await lastValueFrom(chain.pipe(retry(1), toArray()))
  assert.deepEqual([subscriptions, commits.map(({ counts }) => counts.rows)], [2, [8]])
  assert.deepEqual(await numbersIn(store), [0, 1, 2, 3, 4, 5, 6, 7])
  assert.deepEqual(
    letters.map(({ offset, reason }) => [offset, reason]),
    [[4n, 'decode']],
  )
})

test('an unsubscribed chain commits nothing more, closes everything, and the next one continues', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 5))
  const store = new MemoryStore()
  const options = optionsOf(topic, store)
  const stopped = kafkaToDelta({ ...options, until: 'stopped', flush: { ageMs: 200 } })
  await new Promise<void>((resolve, reject) => {
    const subscription = stopped.subscribe({
      next: () => {
        subscription.unsubscribe()
        resolve()
      },
      error: reject,
    })
  })
  await topic.produce(numbered(0, 5, 5))
  await lastValueFrom(kafkaToDelta(options))
  assert.deepEqual(await numbersIn(store), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('an aborted signal commits everything read, then completes', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 5))
  const store = new MemoryStore()
  const stop = new AbortController()
  const seen = filterRows<Event>(({ i }) => {
    if (Number(i) === 4) stop.abort()
    return true
  })
  const chain = kafkaToDelta({ ...optionsOf(topic, store), until: 'stopped', signal: stop.signal }, seen)
  const commits = await lastValueFrom(chain.pipe(toArray()))
  assert.deepEqual(
    commits.map(({ counts }) => counts.rows),
    [5],
  )
  assert.deepEqual(await lastValueFrom(chain.pipe(toArray())), [], 'nothing is opened after the stop')
})

test('everything that code of one’s own throws is an error with a code, and the cause is kept', async () => {
  const topic = await testTopic(1)
  await topic.produce([...numbered(0, 3), { partition: 0, value: 'no json' }])
  const cause = new TypeError('mine')
  const refuse = (): never => {
    throw cause
  }
  const store = new MemoryStore()
  const brokenStore = new MemoryStore('', { fault: refuse })
  const chains = {
    store: kafkaToDelta({ ...optionsOf(topic, brokenStore) }),
    sink: kafkaToDelta({ ...optionsOf(topic, store), deadLetters: { write: () => Promise.reject(cause) } }),
    operator: kafkaToDelta(optionsOf(topic, store), (() =>
      throwError(() => cause)) as unknown as RowOperator<Event>),
    enrichment: kafkaToDelta({
      ...optionsOf(topic, store),
      enrichments: [{ fields: [], columns: refuse }],
    }),
    format: kafkaToDelta({
      ...optionsOf(topic, store),
      format: { ...json(event), open: () => ({ name: 'mine', decode: refuse }) },
    }),
    opening: kafkaToDelta({ ...optionsOf(topic, store), format: { ...json(event), open: refuse } }),
  }
  for (const [part, chain] of Object.entries(chains)) {
    const error = await lastValueFrom(chain).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof PipelineError, `${part}: ${String(error)}`)
    assert.equal(error.code, 'KD_OPERATOR_FAILED' satisfies ErrorCode, part)
    assert.equal(error.cause, cause, part)
  }
})

test('options with faults are one error that names them all, and nothing is opened', async () => {
  const chain = kafkaToDelta({
    brokers: [],
    topic: 'events',
    format: json(event),
    table: 'hdfs://cluster/events',
    flush: { count: -1 },
  })
  await assert.rejects(lastValueFrom(chain), (error) => {
    assert.ok(error instanceof PipelineError && error.code === 'KD_CONFIG_INVALID')
    for (const name of ['brokers', 'table.uri', 'flush.count']) assert.match(error.message, new RegExp(name))
    return true
  })
})
