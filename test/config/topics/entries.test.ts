import assert from 'node:assert/strict'
import { it } from 'node:test'
import { resolvePatternTopic } from '../../../config/topics/entries.ts'
import { loadConfig } from '../../../config/load/load.ts'

const table = { uri: 's3://lake/{name}/{topic}' }
const load = (topics: object): ReturnType<typeof loadConfig> => loadConfig({ object: { topics } })

it('each topic of a list has its own table, appId and dead letters', () => {
  const { topics } = load({ clicks: { topics: ['eu', 'us'], table, deadLetters: { topic: 'bad.{topic}' } } })
  assert.deepEqual(
    Object.entries(topics).map(
      ([
        name,
        {
          topic,
          table: { uri },
          appId,
          deadLetters,
        },
      ]) => [name, topic, uri, appId, deadLetters.topic],
    ),
    [
      ['clicks/eu', 'eu', 's3://lake/clicks/eu', 'kafka-delta-eu', 'bad.eu'],
      ['clicks/us', 'us', 's3://lake/clicks/us', 'kafka-delta-us', 'bad.us'],
    ],
  )
})

it('placeholders in a replaced value are not replaced again', () => {
  const { topics } = load({ '{topic}$&': { topic: 't', table: { uri: 's3://lake/{name}' } } })
  assert.equal(topics['{topic}$&']?.table.uri, 's3://lake/{topic}$&')
})

it('an entry with a pattern yields the options of each matching topic', () => {
  const { topics, patterns } = load({ orders: { pattern: 'orders\\..*', appId: 'mine-{topic}', table } })
  assert.deepEqual(Object.keys(topics), [])
  const entry = patterns['orders']
  assert.ok(entry)
  const topic = resolvePatternTopic('orders', entry, 'orders.eu', 'g')
  assert.deepEqual(
    [topic.topic, topic.appId, topic.table.uri],
    ['orders.eu', 'mine-orders.eu', 's3://lake/orders/orders.eu'],
  )
})

const FAULTS: [string, object, RegExp][] = [
  ['an invalid pattern', { pattern: '(a' }, /pattern: must be a regular expression/],
  ['a pattern that is too long', { pattern: 'a'.repeat(501) }, /pattern: must have at most 500 characters/],
  ['both topics and pattern', { topics: ['a'], pattern: 'a' }, /only one of topic, topics and pattern/],
  ['an empty list', { topics: [] }, /topics: must name at least one topic/],
  ['a topic listed twice', { topics: ['a', 'a'] }, /topics: names "a" twice/],
  ['one appId for several topics', { topics: ['a', 'b'], appId: 'x' }, /appId: must contain \{topic\}/],
  ['a list beyond topicsMax', { topics: ['a', 'b'], topicsMax: 1 }, /must name at most topicsMax \(1\)/],
  [
    'an invalid option, reported once for all topics',
    { topics: ['a', 'b'], flush: { count: 'x' } },
    /flush\.count/,
  ],
]
for (const [what, options, pattern] of FAULTS) {
  it(`${what} is a fault`, () => {
    assert.throws(() => load({ e: { table: { uri: 's3://lake/t' }, ...options } }), {
      message: new RegExp(`faults?\\n.*${pattern.source}`),
    })
  })
}

it('a topic of a list that another entry reads too is a fault', () => {
  assert.throws(() => load({ e: { topics: ['a', 'b'], table }, f: { topic: 'b', table } }), {
    message: /topics\.f\.topic: topics\.e\/b reads "b" too/,
  })
})
