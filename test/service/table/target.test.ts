import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { currentOf } from '../../../src/core/changing.ts'
import type { StructField } from '../../../src/core/schema.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import { readCommit } from '../../../src/delta/log/log-segment.ts'
import { createTable, tableExists } from '../../../src/delta/maintenance/create.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { serialiseSchema } from '../../../src/delta/schema/schema-json.ts'
import { TablePool } from '../../../src/service/table/table-pool.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { openTarget, type Target } from '../../../src/service/table/target.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { rawOf } from '../../support/flow/batches.ts'

const CONTRACT = {
  type: 'object',
  required: ['id', 'at'],
  properties: {
    id: { type: 'integer' },
    at: { type: 'string', format: 'date-time' },
    name: { type: 'string' },
  },
}

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'target-'))
  await writeFile(join(folder, 'contract.json'), JSON.stringify(CONTRACT))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const contract = (): { contract: string } => ({ contract: join(folder, 'contract.json') })
const column = (name: string, type: StructField['type'], nullable = true): StructField => ({
  name,
  type,
  nullable,
  metadata: {},
})

async function open(
  topic: Record<string, unknown>,
  partitionColumns: readonly string[] = [],
  tables?: TablePool,
): Promise<Target> {
  const config = loadConfig({
    object: {
      kafka: { brokers: ['127.0.0.1:1'] },
      topics: { events: { table: { uri: join(folder, 'table'), partitionColumns }, ...topic } },
    },
  })
  const [only] = Object.values(config.topics)
  assert.ok(only)
  return openTarget(only, config, {}, tables)
}

async function existing(
  fields: readonly StructField[],
  partitionColumns: readonly string[] = [],
): Promise<void> {
  await createTable(await openStore(join(folder, 'table')), {
    schema: { type: 'struct', fields },
    partitionColumns,
  })
}

test('A missing table is created with the contract columns, the Kafka columns and the derived columns', async () => {
  const target = await open({ ...contract(), kafkaColumns: true, derive: { day: 'date(at)' } }, ['day'])
  assert.deepEqual(
    target.table.schema.fields.map(({ name, type }) => `${name} ${JSON.stringify(type)}`),
    [
      'id "long"',
      'at "timestamp"',
      'name "string"',
      '_kafka_topic "string"',
      '_kafka_partition "integer"',
      '_kafka_offset "long"',
      '_kafka_timestamp "timestamp"',
      '_kafka_key "string"',
      'day "date"',
    ],
  )
  assert.deepEqual(target.partitionColumns, ['day'])
  assert.equal(target.table.version, 0n)
})

test('Opening it again changes nothing', async () => {
  const topic = { ...contract(), kafkaColumns: true }
  const first = await open(topic)
  const second = await open(topic)
  assert.equal(second.table.metadata.id, first.table.metadata.id)
  assert.equal(second.table.version, 0n)
})

test('Without a contract the columns come from the table, except those that the pipeline adds', async () => {
  await existing([column('id', 'long'), column('at', 'timestamp'), column('day', 'date')])
  const target = await open({ derive: { day: 'date(at)' } })
  assert.deepEqual(
    target.contract.schema.fields.map(({ name }) => name),
    ['id', 'at'],
  )
})

test('Without a contract and without a table the start is refused', async () => {
  await assert.rejects(open({}), { code: 'KD_CONFIG_INVALID', message: /expected a contract/ })
})

test('Partition columns other than those of the table are refused', async () => {
  await existing([column('id', 'long'), column('at', 'timestamp'), column('name', 'string')], ['name'])
  await assert.rejects(open(contract(), ['id']), {
    code: 'KD_SCHEMA_MISMATCH',
    message: /partition columns id, the table has name/,
  })
  assert.deepEqual((await open(contract())).partitionColumns, ['name'])
})

test('A table that is partitioned by a binary column is refused, and none is created', async () => {
  const properties = { id: { type: 'integer' }, raw: { type: 'string', contentEncoding: 'base64' } }
  await writeFile(join(folder, 'contract.json'), JSON.stringify({ type: 'object', properties }))
  const store = await openStore(join(folder, 'table'))
  await assert.rejects(open(contract(), ['raw']), { code: 'KD_SCHEMA_MISMATCH', message: /raw is binary/ })
  assert.equal(await tableExists(store), false)

  await existing([column('id', 'long'), column('raw', 'binary')])
  const metaData = (await readCommit(store, 0n))?.actions.find(({ kind }) => kind === 'metaData')
  assert.ok(metaData?.kind === 'metaData')
  const partitioned = { ...metaData.metaData, partitionColumns: ['raw'] }
  await store.put(commitKey(1n), serialiseActions([{ kind: 'metaData', metaData: partitioned }]))
  await assert.rejects(open(contract()), { code: 'KD_SCHEMA_MISMATCH', message: /raw cannot partition/ })
})

test('Columns that the table lacks are refused under failOnNewColumns, naming all of them, and accepted otherwise', async () => {
  await existing([column('id', 'long')])
  const under = (schemaEvolution: string): Promise<Target> =>
    open({ ...contract(), table: { uri: join(folder, 'table'), schemaEvolution } })
  await assert.rejects(under('failOnNewColumns'), {
    code: 'KD_SCHEMA_MISMATCH',
    message: /column at is not in the table; column name is not in the table/,
  })
  const names = async (policy: string): Promise<readonly string[]> =>
    (await under(policy)).columns.current().schema.fields.map(({ name }) => name)
  assert.deepEqual(await names('addNewColumns'), ['id', 'at', 'name'])
  assert.deepEqual([await names('rescue'), await names('none')], [['id'], ['id']])
  assert.equal((await open(contract())).table.version, 0n, 'the table is unchanged until there are rows')
})

test('NOT NULL columns of the table are checked while bytes are decoded', async () => {
  await existing([column('id', 'long'), column('at', 'timestamp'), column('name', 'string', false)])
  const { columns } = await open(contract())
  const options = columns.current()
  assert.equal(options.schema.fields.find(({ name }) => name === 'name')?.nullable, false)
  const complete = { id: 1, at: '2026-03-01T10:00:00Z', name: 'a' }
  const values = [complete, { ...complete, name: null }, { ...complete, name: undefined }]
  const { validated, slow } = jsonFormat(options).decode(rawOf(values.map((value) => JSON.stringify(value))))
  assert.deepEqual([validated?.records.length, slow], [1, { value: 1, contract: 1 }])
})

test('A NOT NULL column that the contract lacks, and a type that cannot be widened, are refused', async () => {
  await existing([column('id', 'integer'), column('must', 'string', false)])
  await assert.rejects(open(contract()), {
    code: 'KD_SCHEMA_MISMATCH',
    message: /column id: expected integer, as the table has it, got long; delta.enableTypeWidening/,
  })
})

test('A process that loses the race to create a table fills the generated columns of the winner', async () => {
  const name = `target-${Math.random()}`
  const day = { ...column('day', 'date'), metadata: { 'delta.generationExpression': 'CAST(at AS DATE)' } }
  const fields = [column('id', 'long'), column('at', 'timestamp'), column('name', 'string'), day]
  const winner = serialiseActions([
    { kind: 'protocol', protocol: { minReaderVersion: 1, minWriterVersion: 4 } },
    {
      kind: 'metaData',
      metaData: {
        id: 'winner',
        format: { provider: 'parquet', options: {} },
        schemaString: serialiseSchema({ type: 'struct', fields }),
        partitionColumns: [],
        configuration: {},
      },
    },
  ])
  let raced = false
  const store = new MemoryStore(name, {
    fault: async ({ operation, key }) => {
      if (raced || operation !== 'putIfAbsent' || key !== commitKey(0n)) return undefined
      raced = true
      await new MemoryStore(name).putIfAbsent(key, winner)
      return undefined
    },
  })
  const target = await open(contract(), [], new TablePool(() => Promise.resolve(store)))
  assert.equal(target.table.metadata.id, 'winner')
  assert.deepEqual(
    target.enrichments.flatMap((enrichment) => currentOf(enrichment).fields.map((field) => field.name)),
    ['day'],
  )
})
