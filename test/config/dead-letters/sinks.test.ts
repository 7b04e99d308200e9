// Goal: the sinks of dead letters follow from the configuration, and impossible configurations are refused at
// the start.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadLetterSinksOf, replayLedgerUriOf } from '../../../config/dead-letters/sinks.ts'
import { loadConfig } from '../../../config/load/load.ts'
import type { TopicConfig } from '../../../config/types.ts'

function topicWith(deadLetters: object, others: object = {}): TopicConfig {
  const topics = { a: { table: { uri: 'memory:a' }, deadLetters }, ...others }
  return loadConfig({ object: { topics } }).topics['a'] as TopicConfig
}

for (const [deadLetters, topic, table] of [
  [{}, true, false],
  [{ table: 'memory:d' }, false, true],
  [{ table: 'memory:d', to: 'both' }, true, true],
  [{ table: 'memory:d', to: 'topic' }, true, false],
  [{ mode: 'skip', table: 'memory:d' }, false, false],
  [{ mode: 'stop' }, false, false],
] as const) {
  test(`${JSON.stringify(deadLetters)} writes dead letters to the topic: ${topic}, to the table: ${table}`, () => {
    assert.deepEqual(deadLetterSinksOf(topicWith(deadLetters)), { topic, table })
  })
}

test('The replay ledger is next to the dead-letter table, or next to the table of the topic', () => {
  assert.equal(replayLedgerUriOf(topicWith({})), 'memory:a-marks')
  assert.equal(replayLedgerUriOf(topicWith({ table: 'memory:d/' })), 'memory:d-marks')
  assert.equal(replayLedgerUriOf(topicWith({ replayLedger: 'memory:m' })), 'memory:m')
})

for (const [what, deadLetters, others, fault] of [
  ['without a table to write to', { to: 'table' }, {}, /topics\.a\.deadLetters\.table: is required by/],
  [
    'in the table of the topic',
    { table: 'memory:a/' },
    {},
    /topics\.a\.deadLetters\.table: must be a different table from table\.uri/,
  ],
  [
    'in the table of another topic',
    { table: 'memory:b' },
    { b: { table: { uri: 'memory:b' } } },
    /must be a different table from topics\.b\.table\.uri/,
  ],
  [
    'with the replay ledger in their own table',
    { table: 'memory:d', replayLedger: 'memory:d' },
    {},
    /deadLetters\.replayLedger: must be a different table/,
  ],
  [
    'in one table under one appId',
    { table: 'memory:d' },
    { b: { appId: 'kafka-delta-a', table: { uri: 'memory:b' }, deadLetters: { table: 'memory:d' } } },
    /writes its dead letters to the same table under the same appId/,
  ],
  [
    'with a rate above 1',
    { maxRate: 1.5 },
    {},
    /topics\.a\.deadLetters\.maxRate: must be a number above 0 and at most 1/,
  ],
  [
    'with a rate that has no effect',
    { maxRate: 0.5, mode: 'stop' },
    {},
    /deadLetters\.maxRate: is set, but deadLetters\.mode is stop/,
  ],
] as const) {
  test(`Dead letters ${what} are refused`, () => {
    assert.throws(() => topicWith(deadLetters, others), { code: 'KD_CONFIG_INVALID', message: fault })
  })
}
