import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import type { DataType, StructType } from '../../../src/core/schema.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { openTarget, type Target } from '../../../src/service/table/target.ts'
import { formatOptionsOf } from '../../../src/service/table/transforms.ts'
import { compileTransforms } from '../../../src/transforms/compile.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { structOf } from '../../support/flow/batches.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'transforms-'))
  const properties = { at: { type: 'string' }, n: { type: 'integer' }, note: { type: 'string' } }
  await writeFile(join(folder, 'contract.json'), JSON.stringify({ type: 'object', properties }))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function open(topic: object, table: object = {}): Promise<Target> {
  const config = loadConfig({
    object: { topics: { events: { table: { uri: join(folder, 'table'), ...table }, ...topic } } },
  })
  const [only] = Object.values(config.topics)
  assert.ok(only !== undefined, 'there is a topic')
  return openTarget(only, config, {})
}

async function existing(fields: Readonly<Record<string, DataType>>): Promise<void> {
  const store = await openStore(join(folder, 'table'), {})
  await createTable(store, { schema: structOf(fields), partitionColumns: [] })
  await store.close()
}

const namesOf = ({ fields }: StructType): string[] =>
  fields.map(
    ({ name, type }) =>
      `${name} ${typeof type === 'string' ? type : `<${namesOf(type as StructType).join(', ')}>`}`,
  )

test('Messages that are transformed keep the fractions of their numbers exactly if the columns ask for it', () => {
  const transformation = compileTransforms({ drop: ['a'] })
  for (const keepFractions of [true, false]) {
    const given = { schema: structOf({ n: 'long' }), plain: undefined, keepFractions }
    const options = formatOptionsOf(undefined, { current: () => given }, transformation).current()
    assert.equal(options.keepFractions, keepFractions)
    assert.equal(options.unknownFields, 'leave')
  }
})

const withContract = (): object => ({ contract: join(folder, 'contract.json') })

test('A new table gets the columns of the transforms without the dropped ones, and can be partitioned by them', async () => {
  const target = await open(
    {
      ...withContract(),
      transforms: {
        day: { expr: 'substr(at, `0`, `10`)', type: 'date' },
        'meta.offset': 'kafka.offset',
        when: 'epoch_millis_to_iso8601(n)',
        copy: 'n',
        unknown: 'some.field',
      },
      drop: ['note'],
      rename: { n: 'number' },
    },
    { partitionColumns: ['day'] },
  )
  assert.deepEqual(namesOf(target.table.schema), [
    'at string',
    'number long',
    'day date',
    'meta <offset long>',
    'when timestamp',
    'copy long',
  ])
  assert.deepEqual(target.partitionColumns, ['day'])
  assert.deepEqual(namesOf(target.formatOptions.current().schema), ['at string', 'n long', 'note string'])
  assert.deepEqual(
    target.formatOptions.current().sources?.map(({ path, use }) => `${use} ${path.join('.')}`),
    [
      'read at',
      'read n',
      'read some.field',
      'read day',
      'absent meta',
      'read when',
      'read copy',
      'read unknown',
      'read note',
      'absent number',
    ],
  )
  await target.release()
})

test('A topic without transforms is still decoded directly to columns', async () => {
  const target = await open(withContract())
  assert.equal(target.transforms, undefined)
  assert.equal(target.formatOptions, target.columns)
  await target.release()
})

test('A partition column whose type only messages would show is refused with the remedy', async () => {
  const options = { ...withContract(), transforms: { region: 'address.region' } }
  await assert.rejects(
    open(options, { partitionColumns: ['region'] }),
    /topics\.events\.transforms\.region: .*table\.partitionColumns names region; write \{"expr": "address\.region", "type": "string"\}/,
  )
})

test('When messages may not add columns, a transform must declare the type of a missing column', async () => {
  const options = { ...withContract(), transforms: { region: 'address.region' } }
  await assert.rejects(open(options, { schemaEvolution: 'failOnNewColumns' }), /does not add columns/)
})

test('A value that can never fit its destination is refused', async () => {
  const options = { ...withContract(), transforms: { n: 'epoch_seconds_to_iso8601(n)' } }
  await assert.rejects(
    open(options),
    /transforms\.n: epoch_seconds_to_iso8601\(n\) gives timestamp, but the column is long/,
  )
})

test('Without a contract rows have the columns of the table and the transform columns of known type', async () => {
  await existing({ day: 'date', ts: 'timestamp', name: 'string' })
  const target = await open({
    transforms: {
      day: 'substr(at, `0`, `10`)',
      ts: 'kafka.timestamp',
      'meta.offset': 'kafka.offset',
    },
    rename: { title: 'name' },
  })
  assert.deepEqual(
    new Set(namesOf(target.columns.current().schema)),
    new Set(['meta <offset long>', 'day date', 'ts timestamp', 'name string']),
  )
  assert.deepEqual(namesOf(target.formatOptions.current().schema), ['title string'])
  await target.release()
})

test('With a contract, transform columns take the types of the existing table', async () => {
  await existing({ at: 'string', n: 'long', note: 'string', day: 'date', offset: 'integer', wrote: 'long' })
  const transforms = { day: 'substr(at, `0`, `10`)', offset: 'kafka.offset', wrote: 'kafka.timestamp' }
  const target = await open({ ...withContract(), transforms })
  assert.deepEqual(namesOf(target.contract.schema), [
    'at string',
    'n long',
    'note string',
    'day date',
    'offset integer',
    'wrote long',
  ])
  await target.release()
})

test('With a contract, a value that can never fit the column of the table is refused', async () => {
  await existing({ at: 'string', day: 'boolean' })
  await assert.rejects(
    open({ ...withContract(), transforms: { day: 'substr(at, `0`, `10`)' } }),
    /transforms\.day: .* gives string, but the column is boolean/,
  )
})
