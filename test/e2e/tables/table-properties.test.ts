// Goal: what the table's properties say of its files is done, whatever the configuration says.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readContract } from '../../../src/contract/file.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { derivedColumn } from '../../../src/enrichments/derived-column.ts'
import { KAFKA_FIELDS } from '../../../src/enrichments/kafka-columns.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { actionsOf, carry } from '../support/carry.ts'

test('codec and number of indexed columns are those of the table', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'properties-'))
  try {
    const uri = join(folder, 'table')
    const { schema } = await readContract('schemas/user-events.schema.json')
    const derived = derivedColumn('event_date', 'date(timestamp)', schema).fields
    await createTable(new LocalStore(uri), {
      schema: { type: 'struct', fields: [...schema.fields, ...KAFKA_FIELDS, ...derived] },
      partitionColumns: ['event_date'],
      configuration: { 'delta.parquet.compression.codec': 'snappy', 'delta.dataSkippingNumIndexedCols': '2' },
    })
    const brokers = await kafkaForTests()
    await carry({
      brokers,
      topic: nameForTests('properties'),
      uri,
      folder,
      records: 300,
      badEvery: 100,
      flushCount: 1_000,
      seed: 1,
    })
    const versions = (await readdir(join(uri, '_delta_log'))).filter((name) => name.endsWith('.json')).length
    const adds = actionsOf(uri, versions).flatMap(({ add }) => (add === undefined ? [] : [add]))
    assert.ok(adds.length > 0)
    for (const add of adds) {
      assert.match(String(add['path']), /\.snappy\.parquet$/)
      const stats = JSON.parse(String(add['stats'])) as { nullCount: object }
      assert.deepEqual(Object.keys(stats.nullCount), ['event_id', 'user_id'])
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
