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
  const { values: topic } = resolvePatternTopic('orders', entry, 'orders.eu', 'g')
  assert.deepEqual(
    [topic.topic, topic.appId, topic.table.uri],
    ['orders.eu', 'mine-orders.eu', 's3://lake/orders/orders.eu'],
  )
})

const LONG = 'x'.repeat(246)
const FAULTS: [string, object, RegExp][] = [
  [
    'a topic name with a space',
    { topic: 'my orders' },
    /topics\.e\.topic: must consist of ASCII letters.*"my orders"/,
  ],
  ['a topic name that is not ASCII', { topic: 'tëst' }, /topics\.e\.topic: must consist of ASCII letters/],
  ['a topic name with a slash', { topic: 'a/b' }, /topics\.e\.topic: must consist of ASCII letters/],
  ['a topic name with a line break at the end', { topic: 'a\n' }, /topics\.e\.topic: must consist of ASCII/],
  ['a placeholder as topic name', { topic: '{topic}' }, /topics\.e\.topic: must consist of ASCII letters/],
  ['the topic ..', { topic: '..' }, /topics\.e\.topic: must not be "\." or "\.\."/],
  [
    'a topic name of 250 characters',
    { topic: 'x'.repeat(250), deadLetters: { topic: 'bad' } },
    /topics\.e\.topic: must have at most 249 characters: .* with 250/,
  ],
  ['a refused topic in a list', { topics: ['a', 'b c'] }, /topics\.e\.topics: must consist of ASCII.*"b c"/],
  [
    'a default dead-letter topic that is too long',
    { topic: LONG },
    /topics\.e\.deadLetters\.topic: must have at most 249 .* with 250; it is the default `<topic>-dlq`/,
  ],
  [
    'a default dead-letter topic that is too long for one topic of a list',
    { topics: ['a', LONG] },
    /topics\.e\.deadLetters\.topic: must have at most 249 .* with 250; it is the default/,
  ],
  [
    'a dead-letter topic with a refused character',
    { deadLetters: { topic: 'bad letters' } },
    /topics\.e\.deadLetters\.topic: must consist of ASCII.*"bad letters"/,
  ],
  [
    'a template of dead-letter topics with a refused character',
    { pattern: 'a.*', deadLetters: { topic: '{topic}:dlq' } },
    /topics\.e\.deadLetters\.topic: must consist of ASCII/,
  ],
  ['a table without a bucket', { table: { uri: 's3:///t' } }, /topics\.e\.table\.uri: must be s3:\/\/bucket/],
  ['a table in HDFS', { table: { uri: 'hdfs://nn/t' } }, /topics\.e\.table\.uri: must be a path or begin/],
  ['a table in DBFS', { table: { uri: 'dbfs:/t' } }, /topics\.e\.table\.uri: must be a path or begin/],
  ['a table in the home folder', { table: { uri: '~/t' } }, /topics\.e\.table\.uri: .*: value was "~\/t"/],
  [
    'a table on a Windows drive',
    { table: { uri: 'C:\\t' } },
    /topics\.e\.table\.uri: must be a path of this/,
  ],
  [
    'a dead-letter table without a bucket',
    { deadLetters: { table: 's3://' } },
    /topics\.e\.deadLetters\.table: must be s3:\/\/bucket/,
  ],
  [
    'a replay ledger in DBFS',
    { deadLetters: { replayLedger: 'dbfs:/ledger' } },
    /topics\.e\.deadLetters\.replayLedger: must be a path or begin/,
  ],
  [
    'a location that a pattern cannot complete',
    { pattern: 'a.*', table: { uri: 's3:/lake/{topic}' } },
    /topics\.e\.table\.uri: must be s3:\/\/bucket/,
  ],
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

it('a name of an entry that is no topic name is a fault unless the topics are named', () => {
  assert.throws(() => load({ 'my orders': { table } }), {
    message: /1 fault\n.*topics\.my orders\.topic: .*\(the name of the entry\): set topic/,
  })
  for (const named of [{ topic: 'a' }, { topics: ['a'] }, { pattern: 'a.*' }])
    load({ 'my orders': { table, ...named } })
})

it('the longest names are taken, and a dead-letter topic that is not used may have any name', () => {
  load({ a: { topic: 'x'.repeat(245), table }, b: { topic: 'Az09._-', table } })
  load({ a: { topic: 'x'.repeat(249), table, deadLetters: { topic: 'bad' } } })
  load({ a: { topic: 'x'.repeat(249), table, deadLetters: { mode: 'skip' } } })
  load({ a: { topic: 'x'.repeat(249), table, deadLetters: { table: 's3://lake/bad' } } })
})

it('locations and dead-letter topics may be completed by the topic of a list or pattern', () => {
  const options = { table: { uri: 's3://{topic}/{name}' }, deadLetters: { topic: '{topic}.bad' } }
  load({ a: { topics: ['eu', 'us'], ...options }, b: { pattern: 'b.*', ...options } })
  assert.throws(() => load({ a: { topics: ['eu', '_us'], ...options } }), {
    message: /1 fault\n.*topics\.a\.table\.uri: must be s3:\/\/bucket/,
  })
})

it('a pattern with a topic whose name makes options invalid tells the faults of that topic', () => {
  const { patterns } = load({
    e: { pattern: '.*', table, deadLetters: { table: 's3://lake/e/bad', to: 'both' } },
  })
  const entry = patterns['e']
  assert.ok(entry)
  const faultsOf = (topic: string | undefined): readonly string[] =>
    resolvePatternTopic('e', entry, topic, 'g').faults
  assert.deepEqual([faultsOf(undefined), faultsOf('good')], [[], []])
  assert.match(faultsOf(LONG).join(), /^topics\.e\.deadLetters\.topic: must have at most 249/)
  assert.match(faultsOf('bad').join(), /^topics\.e\.deadLetters\.table: must be a different table/)
})
