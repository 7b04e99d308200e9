import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { PipelineError } from '../../../src/core/errors.ts'

/** Returns the faults of a registry and one topic, one per line. */
function faultsOf(schemaRegistry: object, topic: object = {}): readonly string[] {
  const topics = { t: { table: { uri: 'memory:t' }, ...topic } }
  try {
    loadConfig({ object: { kafka: { brokers: ['localhost:9092'], groupId: 'g' }, schemaRegistry, topics } })
    return []
  } catch (error) {
    assert.ok(error instanceof PipelineError, String(error))
    return error.message.split('\n').slice(1)
  }
}

const URL = 'https://registry:8081'

test('A registry with a login, a token or a certificate is accepted', () => {
  for (const login of [
    {},
    { username: 'ada', password: 'secret' },
    { token: 'secret' },
    { tls: { caFile: import.meta.filename, certFile: import.meta.filename, keyFile: import.meta.filename } },
  ])
    assert.deepEqual(faultsOf({ url: URL, ...login }), [])
})

for (const [what, registry, pattern] of [
  ['A login in the URL', { url: 'https://ada:secret@registry:8081' }, /url: must not contain a login/],
  [
    'A token beside a user',
    { url: URL, token: 'secret', username: 'a', password: 'secret' },
    /token: is set, but/,
  ],
  [
    'A certificate without its key',
    { url: URL, tls: { certFile: import.meta.filename } },
    /tls.keyFile: is required/,
  ],
  [
    'A passphrase without a key',
    { url: URL, tls: { keyPassphrase: 'secret' } },
    /tls.keyPassphrase: is set, but/,
  ],
  ['A file that does not exist', { url: URL, tls: { caFile: '/gone.pem' } }, /tls.caFile: does not exist/],
  [
    'Certificates for a URL without TLS',
    { url: 'http://r:1', tls: { caFile: import.meta.filename } },
    /starts with http:/,
  ],
] as const) {
  test(`${what} is refused, and no secret is shown`, () => {
    const faults = faultsOf(registry)
    assert.match(faults.join('\n'), pattern)
    assert.ok(!faults.join('\n').includes('secret'), faults.join('\n'))
  })
}

for (const [what, topic, pattern] of [
  ['Protobuf without a schema', { format: 'protobuf' }, /protobuf.schema: is required/],
  [
    'A .proto file that does not exist',
    { format: 'protobuf', protobuf: { schema: '/gone.proto' } },
    /protobuf.schema: does not exist/,
  ],
  ['Events of Debezium in CSV', { format: 'csv', envelope: 'debezium' }, /envelope: debezium requires/],
  [
    'A field of events named twice',
    { envelope: 'debezium', debezium: { fields: ['op', 'op'] } },
    /debezium.fields: names "op" twice/,
  ],
] as const) {
  test(`${what} is refused`, () => {
    assert.match(faultsOf({ url: URL }, topic).join('\n'), pattern)
  })
}
