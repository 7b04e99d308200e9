// Goal: where dead letters go follows from the configuration, and what cannot work is refused at the start.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadLetterSinks, marksOf } from '../../../config/dead-letters/sinks.ts'
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
  test(`${JSON.stringify(deadLetters)} keeps letters ${topic ? 'in the topic' : ''} ${table ? 'in the table' : ''}`, () => {
    assert.deepEqual(deadLetterSinks(topicWith(deadLetters)), { topic, table })
  })
}

test('Marks lie beside the letters, or beside the table of the topic', () => {
  assert.equal(marksOf(topicWith({})), 'memory:a-marks')
  assert.equal(marksOf(topicWith({ table: 'memory:d/' })), 'memory:d-marks')
  assert.equal(marksOf(topicWith({ marks: 'memory:m' })), 'memory:m')
})

for (const [what, deadLetters, others, fault] of [
  ['without a table to go to', { to: 'table' }, {}, /topics\.a\.deadLetters\.table: missing/],
  [
    'in the table of the topic',
    { table: 'memory:a/' },
    {},
    /topics\.a\.deadLetters\.table: must be another table than table\.uri/,
  ],
  [
    'in the table of another topic',
    { table: 'memory:b' },
    { b: { table: { uri: 'memory:b' } } },
    /must be another table than topics\.b\.table\.uri/,
  ],
  [
    'marked where they are',
    { table: 'memory:d', marks: 'memory:d' },
    {},
    /deadLetters\.marks: must be another table/,
  ],
  [
    'in one table under one appId',
    { table: 'memory:d' },
    { b: { appId: 'kafka-delta-a', table: { uri: 'memory:b' }, deadLetters: { table: 'memory:d' } } },
    /keeps its dead letters there too, under the same appId/,
  ],
  [
    'beyond all',
    { maxRate: 1.5 },
    {},
    /topics\.a\.deadLetters\.maxRate: must be a number above 0 and at most 1/,
  ],
  [
    'held to a rate that nothing reaches',
    { maxRate: 0.5, mode: 'stop' },
    {},
    /deadLetters\.maxRate: given, while deadLetters\.mode is stop/,
  ],
] as const) {
  test(`Letters ${what} are refused`, () => {
    assert.throws(() => topicWith(deadLetters, others), { code: 'KD_CONFIG_INVALID', message: fault })
  })
}
