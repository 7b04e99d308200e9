// Goal: what the service and its commands do to a table stands in Spark's DESCRIBE HISTORY as what Spark does itself.
// Method: the same acts by both, on a table each; names of operations, parameters and metrics are compared.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runTable } from '../cli/table/table-run.ts'
import { carryRecords } from '../support/service.ts'
import { sparkForTests, tableAt, type Spark } from './support/spark.ts'

interface Entry {
  readonly version: number
  readonly timestamp: string
  readonly operation: string
  readonly operationParameters: Readonly<Record<string, string>>
  readonly operationMetrics: Readonly<Record<string, string>> | null
  readonly readVersion: number | null
  readonly userMetadata: string | null
  readonly isBlindAppend: boolean | null
  readonly engineInfo: string
}

async function historyOf(spark: Spark, path: string): Promise<readonly Entry[]> {
  const rows = await spark.rows(`DESCRIBE HISTORY ${tableAt(path)}`)
  return (rows as unknown as Entry[]).slice().sort((a, b) => a.version - b.version)
}

const recordsOf = (ids: number): object[] => Array.from({ length: ids }, (_, id) => ({ id, v: `v${id}` }))

async function actOurselves(folder: string): Promise<string> {
  const path = join(folder, 'ours')
  const contract = join(folder, 'contract.json')
  const properties = { id: { type: 'integer' }, v: { type: 'string' } }
  await writeFile(contract, JSON.stringify({ type: 'object', properties }))
  for (const ids of [10, 20, 30]) await carryRecords(recordsOf(ids), { uri: path, more: { contract } })
  const run = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await runTable(args)
    assert.equal(code, 0, stderr)
  }
  await run('optimize', path)
  await run('properties', 'set', path, 'delta.appendOnly=false')
  await run('restore', path, '--version', '1')
  return path
}

async function actAsSpark(spark: Spark, folder: string): Promise<string> {
  const path = join(folder, 'theirs')
  const table = tableAt(path)
  await spark.sql(`CREATE TABLE ${table} (id BIGINT, v STRING) USING delta`)
  for (let i = 0; i < 3; i++) await spark.sql(`INSERT INTO ${table} VALUES (${i}, 'v')`)
  await spark.sql(`OPTIMIZE ${table}`)
  await spark.sql(`ALTER TABLE ${table} SET TBLPROPERTIES ('delta.appendOnly' = 'false')`)
  await spark.sql(`RESTORE TABLE ${table} TO VERSION AS OF 1`)
  return path
}

/** What Spark's own streams write, which no SQL starts. */
const STREAMING = {
  parameters: ['epochId', 'outputMode', 'queryId'],
  metrics: ['numAddedFiles', 'numOutputBytes', 'numOutputRows', 'numRemovedFiles'],
}

test('DESCRIBE HISTORY shows our operations, parameters and metrics as those of Spark', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'interop-history-'))
  try {
    const spark = await sparkForTests()
    const startedMs = Date.now()
    const ours = await historyOf(spark, await actOurselves(folder))
    const theirs = await historyOf(spark, await actAsSpark(spark, folder))
    const names = (entries: readonly Entry[]): string[] => entries.map(({ operation }) => operation)
    assert.deepEqual(
      names(ours),
      names(theirs).map((name) => (name === 'WRITE' ? 'STREAMING UPDATE' : name)),
    )
    for (const [index, entry] of ours.entries()) {
      const theirEntry = theirs[index]
      assert.ok(theirEntry)
      assertAlike(entry, theirEntry)
      const timeMs = Date.parse(entry.timestamp)
      assert.ok(timeMs >= startedMs - 1000 && timeMs <= Date.now() + 1000, entry.timestamp)
      assert.equal(entry.userMetadata, null)
      assert.match(entry.engineInfo, /^kafka-delta\/\d/)
      assert.equal(entry.readVersion, index === 0 ? null : index - 1)
    }
    assert.deepEqual(
      ours
        .map(({ operationMetrics }) => operationMetrics?.['numOutputRows'])
        .filter((rows) => rows !== undefined),
      ['10', '10', '10'],
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

/** Every parameter that Spark sets and every metric that it counts is there, and numbers are numbers. */
function assertAlike(ours: Entry, theirs: Entry): void {
  const streaming = ours.operation === 'STREAMING UPDATE'
  const isSet = ([, value]: readonly [string, unknown]): boolean =>
    // Spark names what nobody asked for too.
    value !== null && value !== '[]' && value !== 'false'
  const parameters = streaming
    ? STREAMING.parameters
    : Object.entries(theirs.operationParameters)
        .filter(isSet)
        .map(([name]) => name)
  const metrics = streaming ? STREAMING.metrics : Object.keys(theirs.operationMetrics ?? {})
  const lacking = (wanted: readonly string[], found: object): string[] =>
    wanted.filter((name) => !(name in found))
  assert.deepEqual(lacking(parameters, ours.operationParameters), [], `${ours.operation}: parameters`)
  assert.deepEqual(lacking(metrics, ours.operationMetrics ?? {}), [], `${ours.operation}: metrics`)
  for (const [name, value] of Object.entries(ours.operationMetrics ?? {}))
    assert.ok(/^\d+$/.test(value), `${ours.operation}: ${name} is ${value}`)
}
