import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadConfig } from '../../config/load/load.ts'
import { planTable, type TablePlan } from '../../src/cli/plan.ts'

const folder = mkdtempSync(join(tmpdir(), 'kafka-delta-plan-'))
after(() => {
  rmSync(folder, { recursive: true })
})

const contract = join(folder, 'contract.json')
writeFileSync(
  contract,
  JSON.stringify({
    type: 'object',
    properties: {
      id: { type: 'integer' },
      day: { type: 'string', format: 'date' },
      payload: { type: 'string', 'x-delta-type': 'binary' },
      place: { type: 'object', properties: { city: { type: 'string' } } },
      tags: { type: 'array', items: { type: 'string' } },
    },
  }),
)

async function planOf(partitionColumns: readonly string[]): Promise<TablePlan> {
  const table = { uri: 's3://lake/a', partitionColumns }
  const { topics } = loadConfig({ object: { topics: { a: { contract, kafkaColumns: true, table } } } })
  assert.ok(topics['a'])
  return await planTable('a', topics['a'])
}

for (const [column, type] of [
  ['payload', 'binary'],
  ['place', 'struct'],
  ['tags', 'array'],
] as const)
  test(`${column} of type ${type} is refused as a partition column before there is a table`, async () => {
    await assert.rejects(planOf([column]), {
      code: 'KD_CONFIG_INVALID',
      message: new RegExp(
        `topics\\.a\\.table\\.partitionColumns: "${column}" has the type ${type}; neither binary nor nested`,
      ),
    })
  })

test('Columns of other primitive types partition a table', async () => {
  const { schema, partitionColumns } = await planOf(['day', 'id'])
  assert.deepEqual(partitionColumns, ['day', 'id'])
  assert.equal(schema?.fields.find(({ name }) => name === 'payload')?.type, 'binary')
})
