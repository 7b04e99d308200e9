import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../src/core/errors.ts'
import type { IngestArguments } from '../../src/ingest/options.ts'
import { planIngest, type IngestPlan } from '../../src/ingest/plan.ts'

type Env = Readonly<Record<string, string>>
interface Shape {
  readonly kafka: Readonly<Record<string, unknown>>
  readonly schemaRegistry?: { readonly url: string }
  readonly topics: { readonly ingest: Readonly<Record<string, unknown>> }
}

function plan(given: IngestArguments = {}, env: Env = {}): IngestPlan & { readonly config: Shape } {
  return planIngest({ topic: 'web_requests', table_location: './t', ...given }, env) as IngestPlan & {
    readonly config: Shape
  }
}

function faults(given: IngestArguments, env: Env = {}): string {
  try {
    plan(given, env)
  } catch (error) {
    assert.ok(error instanceof PipelineError && error.code === 'KD_COMMAND_INVALID', String(error))
    return error.message
  }
  return 'none'
}

test('Topic and table alone give the defaults of kafka-delta-ingest', () => {
  assert.deepEqual(plan(), {
    config: {
      kafka: { brokers: ['localhost:9092'], groupId: 'kafka_delta_ingest' },
      topics: {
        ingest: {
          topic: 'web_requests',
          appId: 'kafka_delta_ingest',
          startFrom: 'earliest',
          format: 'json',
          compatibility: 'kafka-delta-ingest',
          creditBytes: 268_435_456,
          table: { uri: './t', schemaEvolution: 'none' },
          flush: { ageMs: 300_000, bytes: 134_217_728, count: 10_000_000 },
          parquet: { compression: 'snappy', rowGroupRows: 5_000 },
        },
      },
    },
    env: {},
    pem: {},
    notes: [],
    until: 'stopped',
    seekOffsets: new Map(),
    statsd: { host: 'localhost', port: 8125, queueMax: 100, prefix: 'kafka_delta_ingest' },
  })
})

test('Every option can come from its environment variable, and the command line takes precedence', () => {
  const env = {
    KAFKA_TOPIC: 'from-env',
    TABLE_LOCATION: 's3://lake/t',
    KAFKA_BROKERS: 'a:1, SASL_SSL://b',
    KAFKA_CONSUMER_GROUP: 'group',
    APP_ID: 'app',
    KAFKA_SEEK_OFFSETS: '{"10":5,"2":4}',
    KAFKA_AUTO_OFFSET_RESET: 'latest',
    ALLOWED_LATENCY: '7',
    MAX_MESSAGES_PER_BATCH: '8',
    MIN_BYTES_PER_FILE: '9',
    TRANSFORMS: 'a: b\nc: kafka.offset',
    DLQ_TABLE_LOCATION: 'adls2://account/files/dlq',
    DLQ_TRANSFORMS: 'date: d',
    WRITE_CHECKPOINTS: 'true',
    STATSD_ENDPOINT: '[::1]:9125',
    KDI_METRICS_PREFIX: 'mine',
    KDI_METRICS_INPUT_QUEUE_SIZE: '3',
    AVRO_REGISTRY: 'http://registry:8081/',
    ENDS_AT_LATEST_OFFSETS: 'yes',
    DECOMPRESS_GZIP: 'false',
  }
  const { config, seekOffsets, statsd, until } = planIngest({ app_id: 'said' }, env) as IngestPlan & {
    readonly config: Shape
  }
  assert.deepEqual(config, {
    kafka: { brokers: ['a:1', 'b:9092'], groupId: 'group' },
    schemaRegistry: { url: 'http://registry:8081' },
    topics: {
      ingest: {
        topic: 'from-env',
        appId: 'said',
        startFrom: 'latest',
        format: 'avro',
        framing: 'registry',
        compatibility: 'kafka-delta-ingest',
        transforms: { a: 'b', c: 'kafka.offset' },
        creditBytes: 16_777_216,
        table: { uri: 's3://lake/t', schemaEvolution: 'none' },
        flush: { ageMs: 7_000, bytes: 9, count: 10_000_000 },
        parquet: { compression: 'snappy', rowGroupRows: 8 },
        deadLetters: {
          table: 'abfss://files@account.dfs.core.windows.net/dlq',
          transforms: { date: 'd' },
        },
      },
    },
  })
  assert.deepEqual(
    [...seekOffsets],
    [
      [2, 4n],
      [10, 5n],
    ],
  )
  assert.deepEqual(statsd, { host: '::1', port: 9125, prefix: 'mine', queueMax: 3 })
  assert.equal(until, 'latest')
})

test('All faults of a command line are reported together', () => {
  const message = faults({
    topic: '',
    allowed_latency: 'soon',
    auto_offset_reset: 'never',
    transform: ['no colon'],
    dlq_transform: ['a: b'],
    kafka_setting: ['isolation.level=read_uncommitted', 'fetch.max.bytes=big', 'no.such=1', 'bare'],
    statsd_endpoint: 'nowhere',
    seek_offsets: '{"0":-1,"x":1}',
    json: '',
    avro: '',
  })
  for (const part of [
    '<topic>',
    '--allowed_latency',
    '--auto_offset_reset',
    '--transform no colon',
    '--dlq_transform: requires',
    '-K isolation.level: records of aborted transactions',
    '-K fetch.max.bytes: expected a whole number',
    '-K no.such: unknown property',
    '-K bare',
    '--statsd_endpoint',
    '--seek_offsets: partition 0',
    '--seek_offsets: expected a partition number, got x',
    '--json and --avro',
  ])
    assert.ok(message.includes(part), `${part} is missing in ${message}`)
})

test('The schema options determine the format', () => {
  const format = (given: IngestArguments): object => {
    const { config } = plan(given)
    const { format: name, framing, avro, decompress } = config.topics.ingest
    return [name, framing, avro, decompress, config.schemaRegistry?.url]
  }
  const none = undefined
  assert.deepEqual(format({ json: '' }), ['json', none, none, none, none])
  assert.deepEqual(format({ json: 'schema.json', decompress_gzip: true }), ['json', none, none, 'auto', none])
  assert.deepEqual(format({ json: 'https://r' }), ['json', 'registry', none, none, 'https://r'])
  assert.deepEqual(format({ avro: '' }), ['avro', 'container', none, none, none])
  assert.deepEqual(format({ avro: 'a.avsc' }), ['avro', 'container', { readerSchema: 'a.avsc' }, none, none])
  assert.deepEqual(format({ 'soe-avro': 'd' }), ['avro', 'single-object', { schemas: 'd' }, none, none])
  assert.match(faults({ avro: 'http::a//' }), /--avro: expected the URL of a schema registry/)
})

test('librdkafka properties are translated to options of this service', () => {
  const { config, notes } = plan({
    kafka_setting: [
      'security.protocol=SASL_SSL',
      'sasl.mechanism=SCRAM-SHA-512',
      'sasl.username=me',
      'sasl.password=a=b',
      'ssl.ca.location=ca.pem',
      'ssl.certificate.location=cert.pem',
      'ssl.key.location=key.pem',
      'ssl.key.password=p',
      'session.timeout.ms=6000',
      'max.partition.fetch.bytes=10000000',
      'client.id=me',
      'metadata.max.age.ms=180000',
      'auto.offset.reset=latest',
      'enable.auto.commit=false',
    ],
  })
  assert.deepEqual(config.kafka, {
    brokers: ['localhost:9092'],
    groupId: 'kafka_delta_ingest',
    sessionTimeoutMs: 6_000,
    heartbeatMs: 2_000,
    fetchBytesPerPartitionMax: 10_000_000,
    fetchBytesMax: 10_000_000,
    clientId: 'me',
    sasl: { mechanism: 'scram-sha-512', username: 'me', password: 'a=b' },
    ssl: true,
    tls: { caFile: 'ca.pem', certFile: 'cert.pem', keyFile: 'key.pem', keyPassphrase: 'p' },
  })
  assert.deepEqual(notes, [
    '-K metadata.max.age.ms has no effect here',
    '-K auto.offset.reset=latest has no effect: -o earliest takes precedence',
  ])
})

test('Certificates and login from the environment are used when the protocol requires them', () => {
  const env = {
    KAFKA_DELTA_INGEST_CA: 'CA',
    KAFKA_DELTA_INGEST_CERT: 'CERT',
    KAFKA_DELTA_INGEST_KEY: 'KEY',
    KAFKA_DELTA_INGEST_SCRAM_JSON: '{"username":"u","password":"secret"}',
  }
  const asked = plan({ kafka_setting: ['security.protocol=sasl_ssl', 'sasl.mechanisms=SCRAM-SHA-256'] }, env)
  assert.deepEqual(asked.pem, { ca: 'CA', cert: 'CERT', key: 'KEY' })
  assert.deepEqual(asked.config.kafka['sasl'], {
    mechanism: 'scram-sha-256',
    username: 'u',
    password: 'secret',
  })
  const unasked = plan({}, env)
  assert.deepEqual(unasked.pem, {})
  assert.equal(unasked.config.kafka['sasl'], undefined)
  assert.equal(unasked.notes.length, 5, unasked.notes.join('; '))
  const broken = faults({}, { KAFKA_DELTA_INGEST_SCRAM_JSON: '{"password":"secret"' })
  assert.ok(!broken.includes('secret'), broken)
})

test('Kerberos and other properties that would weaken security or change reading are refused by name', () => {
  assert.match(
    faults({ kafka_setting: ['security.protocol=sasl_plaintext'] }),
    /-K sasl.mechanism: GSSAPI \(Kerberos\)/,
  )
  assert.match(faults({ kafka_setting: ['ssl.crl.location=x'] }), /-K ssl.crl.location: revocation lists/)
  assert.match(faults({ kafka_setting: ['group.instance.id=x'] }), /-K group.instance.id: static membership/)
  assert.match(faults({ kafka_setting: ['security.protocol=tls'] }), /-K security.protocol: expected/)
})

test('The variables of delta-rs are translated to those of the stores', () => {
  const { env } = plan(
    {},
    {
      AWS_ENDPOINT_URL: 'http://s3:4566',
      AWS_DEFAULT_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'k',
      AWS_S3_LOCKING_PROVIDER: 'dynamodb',
      DELTA_DYNAMO_TABLE_NAME: 'locks',
      AZURE_STORAGE_ACCESS_KEY: 'a',
      SCHEMA_REGISTRY_USERNAME: 'u',
      SCHEMA_REGISTRY_URL: 'http://another',
      KAFKA_BOOTSTRAP_SERVERS: 'another:1',
      RUST_LOG: 'DEBUG',
    },
  )
  assert.deepEqual(env, {
    AWS_ENDPOINT_URL: 'http://s3:4566',
    AWS_S3_ENDPOINT: 'http://s3:4566',
    AWS_ENDPOINT_URL_DYNAMODB: 'http://s3:4566',
    AWS_S3_FORCE_PATH_STYLE: 'true',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'k',
    AWS_S3_LOCKING_PROVIDER: 'dynamodb',
    DELTA_DYNAMO_TABLE_NAME: 'locks',
    AZURE_STORAGE_ACCESS_KEY: 'a',
    AZURE_STORAGE_ACCOUNT_KEY: 'a',
    SCHEMA_REGISTRY_USERNAME: 'u',
    LOG_LEVEL: 'debug',
  })
})
