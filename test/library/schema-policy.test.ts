// Fields without a column, in messages and in rows of operators: the policy holds as in the service.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastValueFrom } from 'rxjs'
import { mapRows } from '../../operators/rows/map-rows.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { createTable } from '../../src/delta/maintenance/create.ts'
import type { SchemaEvolution } from '../../src/evolution/policy.ts'
import type { KafkaToDeltaOptions } from '../../src/library/chain-options.ts'
import { json } from '../../src/library/formats.ts'
import { kafkaToDelta } from '../../src/library/kafka-to-delta.ts'
import { columns } from '../../src/rows/row-schema.ts'
import type { Infer } from '../../src/rows/row-types.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { sortedRows } from '../delta/rows-table.ts'
import { nameForTests } from '../support/servers/servers.ts'
import { testTopic } from '../kafka/topic.ts'

const event = columns({ id: 'long?' })
const wider = columns({ id: 'long?', more: 'string?' })

const { brokers, topic, produce } = await testTopic(1)
await produce([{ partition: 0, value: '{"id":1,"extra":"x"}' }])

/** Carries the record into a new or existing table and returns its rows, or the code of the failure. */
async function outcomeOf(
  schemaEvolution: SchemaEvolution,
  { widens, exists }: { readonly widens: boolean; readonly exists: boolean },
): Promise<unknown> {
  const table = new MemoryStore()
  if (exists) await createTable(table, { schema: event, partitionColumns: [] })
  const options: KafkaToDeltaOptions<Infer<typeof event>> = {
    ...{ brokers, topic, groupId: nameForTests('group'), format: json(event), table, schemaEvolution },
    until: 'latest',
    log: createLogger({ level: 'silent' }),
  }
  const chain = widens
    ? kafkaToDelta(
        options,
        mapRows(({ id }) => ({ id, more: 'm' }), wider),
      )
    : kafkaToDelta(options)
  const error: unknown = await lastValueFrom(chain).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error !== undefined) return error instanceof PipelineError ? error.code : error
  return (await sortedRows(table)).map((line): unknown => JSON.parse(line))
}

test('a field of a message without a column is added, dropped, or ends the chain, as the policy says', async () => {
  const keeps = { widens: false, exists: true }
  assert.deepEqual(await outcomeOf('addNewColumns', keeps), [{ id: 1, extra: 'x' }])
  assert.deepEqual(await outcomeOf('none', keeps), [{ id: 1 }])
  assert.equal(await outcomeOf('failOnNewColumns', keeps), 'KD_SCHEMA_CHANGED')
})

test('columns of operators that the table lacks are added, or refused before a record is read', async () => {
  const widens = { widens: true, exists: true }
  assert.deepEqual(await outcomeOf('addNewColumns', widens), [{ id: 1, more: 'm' }])
  assert.equal(await outcomeOf('failOnNewColumns', widens), 'KD_SCHEMA_MISMATCH')
  assert.deepEqual(await outcomeOf('failOnNewColumns', { widens: false, exists: false }), 'KD_SCHEMA_CHANGED')
})
