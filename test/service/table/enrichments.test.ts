import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { DataType } from '../../../src/core/schema.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { structOf } from '../../support/flow/batches.ts'
import { carryRecords } from '../../support/service.ts'

const folder = await mkdtemp(join(tmpdir(), 'enrichments-'))
after(() => rm(folder, { recursive: true, force: true }))

const contract = join(folder, 'contract.json')
await writeFile(
  contract,
  JSON.stringify({
    type: 'object',
    properties: {
      id: { type: 'integer' },
      at: { type: 'string', format: 'date-time' },
      cob: { type: 'string' },
    },
  }),
)
const RECORDS = [
  { id: 1, at: '2026-03-01T23:30:00Z', cob: '2026-02-27' },
  { id: 2, cob: '2026-02-27' },
  { id: 3, at: '2026-03-01T00:00:00Z', cob: '2026-02-31' },
]

/** Creates a table that is partitioned by columns of these types. */
async function tableOf(name: string, partitions: Readonly<Record<string, DataType>>): Promise<string> {
  const uri = join(folder, name)
  const schema = structOf({ id: 'long', at: 'timestamp', cob: 'string', ...partitions })
  await createTable(new LocalStore(uri), { schema, partitionColumns: Object.keys(partitions) })
  return uri
}

const OPTIONS = {
  contract,
  derive: { date: "date(at, 'Europe/Berlin')", hour: "hour(at, 'Europe/Berlin')" },
  cobDate: { from: 'value:cob', allowFuture: true },
}

test('Computed columns take the string or long type of an existing table', async () => {
  const uri = await tableOf('others', { date: 'string', hour: 'long', cob_date: 'string' })
  const { commits, deadLetters } = await carryRecords(RECORDS, { uri, more: OPTIONS })
  const values = commits.flatMap(({ adds }) => adds.map(({ partitionValues }) => partitionValues))
  assert.deepEqual(values, [
    { date: '2026-03-02', hour: '0', cob_date: '2026-02-27' },
    { date: null, hour: null, cob_date: '2026-02-27' },
  ])
  assert.deepEqual(
    deadLetters.map(({ reason, offset, message }) => [reason, offset, message]),
    [
      [
        'partition',
        2n,
        'cob_date from value:cob breaks the rule format: expected a date YYYY-MM-DD, got "2026-02-31"',
      ],
    ],
  )
})

test('A table column that cannot hold the computed values is refused by name at the start', async () => {
  const uri = await tableOf('unfit', { hour: 'byte' })
  const carried = carryRecords(RECORDS, { uri, more: OPTIONS })
  await assert.rejects(carried, { code: 'KD_SCHEMA_MISMATCH', message: /hour/ })
})
