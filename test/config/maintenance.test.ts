import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../config/load/load.ts'
import type { TableConfig } from '../../config/types.ts'

function tableOf(table: object): TableConfig {
  const config = loadConfig({ object: { topics: { a: { table: { uri: 's3://lake/a', ...table } } } } })
  const [topic] = Object.values(config.topics)
  assert.ok(topic)
  return topic.table
}

test('Maintenance is off unless it is configured', () => {
  assert.deepEqual({ ...tableOf({}).optimize }, {})
  assert.deepEqual({ ...tableOf({}).vacuum }, {})
})

test('Policies, and properties with dots in their names, are read unchanged', () => {
  const optimize = { everyCommits: 100, everyMs: 60_000, targetBytes: 1_000_000 }
  const vacuum = { everyMs: 86_400_000, retentionHours: 200 }
  const properties = { 'delta.appendOnly': 'true', team: 'lake' }
  const table = tableOf({ optimize, vacuum, properties })
  assert.deepEqual({ ...table.optimize }, optimize)
  assert.deepEqual({ ...table.vacuum }, vacuum)
  assert.deepEqual({ ...table.properties }, properties)
})

for (const [what, table, fault] of [
  [
    'A target size without a schedule',
    { optimize: { targetBytes: 5 } },
    /optimize\.targetBytes: is set, but/,
  ],
  [
    'A retention without a schedule',
    { vacuum: { retentionHours: 5 } },
    /vacuum\.retentionHours: is set, but/,
  ],
  [
    'A property that has an option of its own',
    { properties: { 'delta.checkpointInterval': '5' } },
    /table\.properties\.delta\.checkpointInterval.*table\.checkpointInterval/,
  ],
  [
    'A policy for a table with external maintenance',
    { maintenance: 'external', optimize: { everyCommits: 5 } },
    /optimize\.everyCommits: is set, but table\.maintenance is "external"/,
  ],
  ['A misspelt option', { optimize: { everyCommit: 5 } }, /everyCommit/],
  ['A schedule of every 0 versions', { optimize: { everyCommits: 0 } }, /whole number above 0/],
] as const) {
  test(`${what} is a fault`, () => {
    assert.throws(() => tableOf(table), fault)
  })
}
