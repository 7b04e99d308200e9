// One topic into two tables with a real broker, also while the store of one of them refuses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastValueFrom, toArray } from 'rxjs'
import { filterRows } from '../../operators/rows/filter-rows.ts'
import type { DeadLetter } from '../../src/core/batch.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { readGroupOffsets } from '../../src/kafka/client/admin.ts'
import type { ChainSourceOptions } from '../../src/library/chain-options.ts'
import { fanOut, type RouteCommit } from '../../src/library/fan-out.ts'
import { json } from '../../src/library/formats.ts'
import { columns } from '../../src/rows/row-schema.ts'
import type { Infer } from '../../src/rows/row-types.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { sortedRows } from '../delta/rows-table.ts'
import { numbered, testTopic } from '../kafka/topic.ts'

const event = columns({ i: 'long' })

test('each record is once in the table of its route, and a route that fails leaves the other running', async () => {
  const { brokers, topic, produce } = await testTopic(2)
  let refuses = false
  const even = new MemoryStore('', {
    fault: ({ operation }) => (refuses && operation === 'putIfAbsent' ? 'refused' : undefined),
  })
  const odd = new MemoryStore()
  const letters: DeadLetter[] = []
  const failed: string[] = []
  const source: ChainSourceOptions<Infer<typeof event>> = {
    ...{ brokers, topic, groupId: topic, format: json(event), until: 'latest' },
    deadLetters: { write: (more) => Promise.resolve(letters.push(...more)) },
    log: createLogger({ level: 'silent' }),
  }
  const run = (): Promise<RouteCommit[]> =>
    lastValueFrom(
      fanOut(
        source,
        [
          { name: 'even', table: even, operators: [filterRows(({ i }) => Number(i) % 2 === 0)] },
          { name: 'odd', table: odd, operators: [filterRows(({ i }) => Number(i) % 2 === 1)] },
        ],
        { onRouteFailed: (route) => failed.push(route) },
      ).pipe(toArray()),
    )

  await produce([...numbered(0, 10), { partition: 1, value: 'no json' }])
  const commits = await run()
  assert.deepEqual(commits.map(({ route, counts }) => `${route} ${counts.rows}`).sort(), ['even 5', 'odd 5'])
  assert.deepEqual(
    letters.map(({ partition, offset }) => [partition, offset]),
    [[1, 0n]],
  )

  refuses = true
  await produce(numbered(0, 10, 10))
  await assert.rejects(run(), (error) => error instanceof PipelineError && error.code === 'KD_STORE_FAILED')
  assert.deepEqual(failed, ['even'])
  assert.equal((await sortedRows(odd)).length, 10)

  refuses = false
  await run()
  assert.deepEqual([(await sortedRows(even)).length, (await sortedRows(odd)).length], [10, 10])
  for (const route of ['even', 'odd'])
    assert.equal(
      (await readGroupOffsets({ brokers, clientId: 'test' }, `${topic}-${route}`, topic)).get(0),
      20n,
    )
})

test('routes without names of their own are refused', async () => {
  const source = { brokers: ['127.0.0.1:1'], topic: 'events', format: json(event) }
  for (const routes of [[], ['a', 'a'].map((name) => ({ name, table: new MemoryStore() }))])
    await assert.rejects(
      lastValueFrom(fanOut(source, routes)),
      (error) => error instanceof PipelineError && error.code === 'KD_CONFIG_INVALID',
    )
})
