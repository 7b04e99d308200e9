import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { loadConfig, type ConfigSources } from '../../../config/load/load.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { VALUES } from '../../support/values/csv.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'kafka-delta-config-'))
  mkdirSync(join(folder, 'schemas'))
  write('schemas/a.schema.json', { type: 'object' })
})
after(() => {
  rmSync(folder, { recursive: true })
})

function write(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

/** Returns the faults that loading reports, without the line with their number. */
function faultsOf(sources: ConfigSources): string[] {
  try {
    loadConfig(sources)
  } catch (error) {
    assert.ok(error instanceof PipelineError)
    assert.equal(error.code, 'KD_CONFIG_INVALID')
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
  }
  return []
}

const topic = (options: object = {}): object => ({
  topics: { a: { table: { uri: 's3://lake/a' }, ...options } },
})

const NO_MAINTENANCE = {
  schemaEvolution: 'addNewColumns',
  properties: {},
  maintenance: 'service',
  optimize: {},
  vacuum: {},
}

describe('defaults', () => {
  it('a topic needs only its name and a table', () => {
    const config = loadConfig({ object: topic() })
    assert.deepEqual(JSON.parse(JSON.stringify(config.topics['a'])), {
      topic: 'a',
      format: 'json',
      ...VALUES,
      kafkaColumns: false,
      derive: {},
      restart: { attempts: 6, baseMs: 1000, capMs: 60_000 },
      startFrom: 'earliest',
      appId: 'kafka-delta-a',
      acceptTopicId: false,
      onSecondAppId: 'warn',
      creditBytes: 268_435_456,
      table: { uri: 's3://lake/a', partitionColumns: [], checkpointInterval: 10, ...NO_MAINTENANCE },
      flush: { count: 100_000, bytes: 134_217_728, ageMs: 60_000, partitionsMax: 10_000 },
      deadLetters: { mode: 'dlq', topic: 'a-dlq', transforms: {}, maxRateRecordsMin: 1000 },
      parquet: { compression: 'zstd', rowGroupRows: 131_072, rowGroupBytes: 33_554_432 },
      retry: { attempts: 6, baseMs: 200, capMs: 10_000, deadlineMs: 120_000 },
      log: { mask: [] },
    })
  })

  it('computed defaults follow the Kafka topic, the group and the flush', () => {
    const config = loadConfig({
      object: { kafka: { groupId: 'g' }, ...topic({ topic: 't.v1', flush: { bytes: 1000 } }) },
    })
    assert.equal(config.topics['a']?.appId, 'g-t.v1')
    assert.equal(config.topics['a'].deadLetters.topic, 't.v1-dlq')
    assert.equal(config.topics['a'].creditBytes, 2000)
  })

  it('unset options are absent, and so is a login without a mechanism', () => {
    const config = loadConfig({})
    assert.equal('endpoint' in config.storage.s3, false)
    assert.equal('sasl' in config.kafka, false)
    assert.deepEqual(Object.keys(config.topics), [])
  })

  it('the result is frozen throughout', () => {
    const config = loadConfig({ object: topic() })
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.topics['a']?.flush))
    assert.ok(Object.isFrozen(config.kafka.brokers))
  })
})

describe('sources', () => {
  it('later files win and objects merge key by key', () => {
    const first = write('1.json', { ...topic({ flush: { count: 1, bytes: 2 } }), log: { level: 'warn' } })
    const second = write('2.json', {
      topics: { a: { flush: { count: 7 } }, b: { table: { uri: 's3://lake/b' } } },
    })
    const config = loadConfig({ files: [first, second] })
    assert.equal(config.topics['a']?.flush.count, 7)
    assert.equal(config.topics['a'].flush.bytes, 2)
    assert.equal(config.log.level, 'warn')
    assert.deepEqual(Object.keys(config.topics), ['a', 'b'])
  })

  it('the environment overrides files, assignments override the environment, empty variables count as unset', () => {
    const file = write('3.json', { kafka: { brokers: ['file:1'], groupId: 'file' }, log: { level: 'warn' } })
    const env = { KAFKA_BOOTSTRAP_SERVERS: 'env:1, env:2', KAFKA_DELTA_GROUP_ID: 'env', LOG_LEVEL: '' }
    const config = loadConfig({ files: [file], env, set: ['kafka.groupId=set'] })
    assert.deepEqual(config.kafka.brokers, ['env:1', 'env:2'])
    assert.equal(config.kafka.groupId, 'set')
    assert.equal(config.log.level, 'warn')
  })

  it('an assignment of a whole section overrides the environment too', () => {
    const config = loadConfig({ env: { LOG_LEVEL: 'warn' }, set: ['log={"level":"error"}'] })
    assert.equal(config.log.level, 'error')
  })

  it('the environment variables of AWS are read and converted to the types of the options', () => {
    const config = loadConfig({
      env: {
        AWS_S3_ENDPOINT: 'http://127.0.0.1:9000',
        AWS_ACCESS_KEY_ID: 'key',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_REGION: 'eu-west-1',
        AWS_S3_FORCE_PATH_STYLE: 'true',
      },
    })
    assert.deepEqual(JSON.parse(JSON.stringify(config.storage.s3)), {
      endpoint: 'http://127.0.0.1:9000',
      region: 'eu-west-1',
      forcePathStyle: true,
      accessKeyId: 'key',
      secretAccessKey: 'secret',
      multipartBytesMin: 16_777_216,
      logStore: 's3',
    })
  })

  it('an assigned value is JSON if it parses and text otherwise', () => {
    const config = loadConfig({
      object: topic(),
      set: [
        'topics.a.flush.count=5',
        'topics.a.derive={"d":"date(ts)"}',
        'topics.a.topic=t',
        'kafka.brokers=x:1,y:2',
      ],
    })
    assert.equal(config.topics['a']?.flush.count, 5)
    assert.deepEqual({ ...config.topics['a'].derive }, { d: 'date(ts)' })
    assert.equal(config.topics['a'].topic, 't')
    assert.deepEqual(config.kafka.brokers, ['x:1', 'y:2'])
  })

  it('topic names and derived columns may contain dots', () => {
    const known = loadConfig({
      object: { topics: { 'a.table': { table: { uri: 's3://lake/y' } } } },
      set: [
        'topics.a.table.flush.count=3',
        'topics.b.c.table.uri=s3://lake/z',
        'topics.b.c.derive.d.e=day(ts)',
      ],
    })
    assert.equal(known.topics['a.table']?.flush.count, 3)
    assert.equal(known.topics['b.c']?.table.uri, 's3://lake/z')
    assert.deepEqual({ ...known.topics['b.c'].derive }, { 'd.e': 'day(ts)' })
  })

  it('relative paths are resolved against the folder of the file that contains them', () => {
    const file = write('4.json', topic({ contract: 'schemas/a.schema.json', table: { uri: '../lake/a' } }))
    const config = loadConfig({ files: [file] })
    assert.equal(config.topics['a']?.contract, join(folder, 'schemas/a.schema.json'))
    assert.equal(config.topics['a'].table.uri, resolve(folder, '../lake/a'))
    const assigned = loadConfig({ files: [file], set: ['topics.a.table.uri=here/t'] })
    assert.equal(assigned.topics['a']?.table.uri, resolve('here/t'))
  })

  it('URIs with a scheme are not changed', () => {
    const config = loadConfig({ object: topic({ table: { uri: 'memory:t' } }) })
    assert.equal(config.topics['a']?.table.uri, 'memory:t')
  })
})

describe('faults', () => {
  it('all faults of all sources are listed at once', () => {
    const broken = write('broken.json', '{')
    const faults = faultsOf({
      files: [broken, join(folder, 'absent.json')],
      object: {
        kafka: { brokres: [] },
        topics: {
          a: { flush: { count: 'many' } },
          b: { table: { uri: 's3://lake/b' }, partitionColumns: [] },
        },
      },
      env: { LOG_LEVEL: 'loud' },
      set: ['nonsense'],
    })
    assert.deepEqual(
      faults.map((fault) => fault.slice(0, fault.indexOf(': '))),
      [
        broken,
        join(folder, 'absent.json'),
        '--set nonsense',
        'kafka.brokres',
        'log.level',
        'topics.a.flush.count',
        'topics.a.table.uri',
        'topics.b.partitionColumns',
      ],
    )
    assert.match(faults[4] ?? '', /value was "loud" \(from LOG_LEVEL\)$/)
  })

  for (const [object, expected] of [
    [{ kafka: { brokres: [] } }, 'kafka.brokres: unknown key; the nearest known one is kafka.brokers'],
    [{ brokers: [] }, 'brokers: unknown key; the nearest known one is kafka.brokers'],
    [{ topcs: {} }, 'topcs: unknown key; the nearest known one is topics'],
    [topic({ flsh: {} }), 'topics.a.flsh: unknown key; the nearest known one is topics.a.flush'],
    [topic({ uri: 'x' }), 'topics.a.uri: unknown key; the nearest known one is topics.a.table.uri'],
    [
      topic({ flush: { cuont: 1 } }),
      'topics.a.flush.cuont: unknown key; the nearest known one is topics.a.flush.count',
    ],
  ] as const) {
    it(`an unknown key names the nearest known one: ${expected}`, () => {
      assert.deepEqual(faultsOf({ object }), [expected])
    })
  }

  for (const [name, options, pattern] of [
    [
      'a wrong type',
      { kafkaColumns: 'maybe' },
      /^topics\.a\.kafkaColumns: must be true or false: value was "maybe"$/,
    ],
    [
      'a number with text behind it',
      { flush: { count: '12abc' } },
      /count: must be a whole number above 0: value was "12abc"$/,
    ],
    ['zero', { flush: { count: 0 } }, /count: must be a whole number above 0: value was 0$/],
    ['a fraction', { flush: { ageMs: 1.5 } }, /ageMs: must be a whole number/],
    [
      'null for an option that requires a value',
      { flush: { count: null } },
      /count: must be a whole number above 0: value was null$/,
    ],
    [
      'a choice outside the list',
      { startFrom: 'latests' },
      /startFrom: must be one of .*"earliest","latest"/,
    ],
    ['an object where a value belongs', { startFrom: {} }, /startFrom: must be a value, not an object$/],
    [
      'a value where a section belongs',
      { flush: 4 },
      /flush: must be an object with count, bytes, ageMs, partitionsMax$/,
    ],
    [
      'a derived column that is not text',
      { derive: { y: 4 } },
      /derive\.y: must be a non-empty text: value was 4$/,
    ],
    ['an invalid derivation', { derive: { y: 'yaer(ts)' } }, /y: must be one of year\(c\).*"yaer\(ts\)"$/],
    [
      'an empty partition column',
      { table: { uri: 'x', partitionColumns: [''] } },
      /partitionColumns: must be a list/,
    ],
    [
      'a partition column twice',
      { table: { uri: 'x', partitionColumns: ['d', 'd'] } },
      /partitionColumns: names "d" twice/,
    ],
    [
      'a contract that does not exist',
      { contract: '/nowhere/c.json' },
      /contract: does not exist: \/nowhere\/c\.json$/,
    ],
    [
      'dead letters into the topic itself',
      { topic: 't', deadLetters: { topic: 't' } },
      /deadLetters\.topic: must differ/,
    ],
    [
      'credit below two flushes',
      { creditBytes: 10, flush: { bytes: 6 } },
      /creditBytes: must be at least twice flush\.bytes \(12\).*10$/,
    ],
  ] as const) {
    it(`${name} in a topic is one fault`, () => {
      const faults = faultsOf({ object: topic(options) })
      assert.equal(faults.length, 1, faults.join('\n'))
      assert.match(faults[0] ?? '', pattern)
    })
  }

  for (const [name, object, pattern] of [
    ['topics that is not an object', { topics: [] }, /^topics: must be an object/],
    ['a topic that is not an object', { topics: { a: 'x' } }, /^topics\.a: must be an object with topic, /],
    [
      'an empty topic name',
      { topics: { '': { table: { uri: 'x' } } } },
      /^topics: the name of an entry must not be empty/,
    ],
    [
      'a session timeout that is too short for the heartbeats',
      { kafka: { sessionTimeoutMs: 5000 } },
      /^kafka\.sessionTimeoutMs: must be at least three times/,
    ],
    [
      'a broker without port',
      { kafka: { brokers: ['host'] } },
      /^kafka\.brokers: must each be host:port: value was "host"/,
    ],
    ['no broker', { kafka: { brokers: [] } }, /^kafka\.brokers: must name at least one broker/],
    [
      'a key without its secret',
      { storage: { s3: { accessKeyId: 'k' } } },
      /^storage\.s3\.secretAccessKey: is required because/,
    ],
    [
      'a token without a key',
      { storage: { s3: { sessionToken: 'k' } } },
      /^storage\.s3\.sessionToken: is set, but/,
    ],
    [
      'an endpoint that is not a URL',
      { storage: { s3: { endpoint: 'minio:9000' } } },
      /^storage\.s3\.endpoint: must start with http/,
    ],
    [
      'parts below the minimum of S3',
      { storage: { s3: { multipartBytesMin: 1 } } },
      /^storage\.s3\.multipartBytesMin: must be at least/,
    ],
    [
      'a fetch limit per partition above that of a whole fetch',
      { kafka: { fetchBytesMax: 10, fetchBytesPerPartitionMax: 11 } },
      /^kafka\.fetchBytesPerPartitionMax: must not exceed/,
    ],
    [
      'one Kafka topic in two entries',
      { topics: { a: { topic: 't', table: { uri: 's3://lake/1' } }, t: { table: { uri: 's3://lake/2' } } } },
      /^topics\.t\.topic: topics\.a reads "t" too/,
    ],
    [
      'one appId in one table twice',
      {
        topics: {
          a: { appId: 'x', table: { uri: 's3://lake/1' } },
          b: { appId: 'x', table: { uri: 's3://lake/1' } },
        },
      },
      /^topics\.b\.appId: topics\.a writes to the same table under the same appId "x"/,
    ],
  ] as const) {
    it(`${name} is one fault`, () => {
      const faults = faultsOf({ object })
      assert.equal(faults.length, 1, faults.join('\n'))
      assert.match(faults[0] ?? '', pattern)
    })
  }

  it('a contract that is not JSON is a fault', () => {
    const contract = write('schemas/bad.json', 'nope')
    assert.match(
      faultsOf({ object: topic({ contract }) })[0] ?? '',
      /^topics\.a\.contract: cannot be read as JSON/,
    )
  })

  it('ingestion requires a topic, commands on tables do not', () => {
    assert.deepEqual(faultsOf({ needsTopic: true }), ['topics: must have at least one entry'])
    assert.deepEqual(faultsOf({}), [])
  })

  it('keys with a special meaning in JavaScript are unknown keys and have no effect', () => {
    const file = write(
      'proto.json',
      '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
    )
    const faults = faultsOf({ files: [file] })
    assert.match(faults[0] ?? '', /^__proto__: unknown key/)
    assert.match(faults[1] ?? '', /^constructor: unknown key/)
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  })
})
