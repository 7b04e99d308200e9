import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findMismatches, demoReportLinesOf } from '../../../src/cli/demo/report.ts'
import type { DemoOutcome } from '../../../src/cli/demo/report.ts'

const letter = (offset: number): Record<string, unknown> => ({
  original_partition: 0,
  original_offset: offset,
  error_reason: offset === 1 ? 'decode' : 'contract',
})

const agreeing: DemoOutcome = {
  produced: { records: 1_000, bytes: 230_000, bad: 2, badByKind: new Map() },
  counts: { records: 1_000, rows: 998, deadLetters: 2, tombstones: 0, filtered: 0 },
  commits: 4,
  table: {
    version: 4n,
    files: 5,
    bytes: 50_000,
    rows: 998,
    distinctOffsets: 998,
    sample: ['{"event_id":"a"}'],
  },
  deadLetters: [letter(1), letter(2)],
  runMs: 500,
}
const where = { uri: 'demo/user_events', deadLetterTopic: 'x-dlq', commandPrefix: 'npx kafka-delta' }

test('matching counts are reported as matching, with rate, table, first rows and commands', () => {
  assert.deepEqual(findMismatches(agreeing), [])
  const text = demoReportLinesOf(agreeing, where).join('\n')
  for (const part of [
    'All counts match, and no Kafka record is in the table twice.',
    'in x-dlq: contract 1, decode 1',
    '2,000 records a second',
    'version      4, 4 commits',
    '{"event_id":"a"}',
    'npx kafka-delta table cat demo/user_events',
  ]) {
    assert.ok(text.includes(part), `${part} in ${text}`)
  }
})

const wrong: [string, Partial<DemoOutcome>, RegExp][] = [
  [
    'a record that was not read',
    { counts: { ...agreeing.counts, records: 999, rows: 997 } },
    /records produced 1,000, but records read 999/,
  ],
  [
    'a row missing from the table',
    { table: { ...agreeing.table, rows: 997, distinctOffsets: 997 } },
    /rows in the table 997/,
  ],
  [
    'a record twice in the table',
    { table: { ...agreeing.table, distinctOffsets: 997 } },
    /rows in the table 998, but distinct Kafka records among them 997/,
  ],
  ['a dead letter missing', { deadLetters: [letter(1)] }, /distinct records in the dead-letter topic 1/],
  ['one record twice among dead letters', { deadLetters: [letter(1), letter(1)] }, /dead-letter topic 1/],
  [
    'a good record refused',
    { counts: { ...agreeing.counts, rows: 997, deadLetters: 3 } },
    /bad records produced 2, but dead letters counted 3/,
  ],
  [
    'a record that vanished',
    { counts: { ...agreeing.counts, rows: 990 } },
    /but rows \+ dead letters .* 992/,
  ],
]

for (const [name, change, message] of wrong) {
  test(`${name} is a mismatch`, () => {
    const outcome = { ...agreeing, ...change }
    assert.match(findMismatches(outcome).join('\n'), message)
    assert.ok(!demoReportLinesOf(outcome, where).some((line) => line.startsWith('All counts match')))
  })
}
