import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { PipelineError } from '../../../src/core/errors.ts'

/** What is wrong with a registry and one topic, a line each. */
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

test('A registry with a login, a token or a certificate is taken as it is', () => {
  for (const login of [
    {},
    { username: 'ada', password: 'secret' },
    { token: 'secret' },
    { tls: { caFile: import.meta.filename, certFile: import.meta.filename, keyFile: import.meta.filename } },
  ])
    assert.deepEqual(faultsOf({ url: URL, ...login }), [])
})

for (const [what, registry, pattern] of [
  ['A login in the address', { url: 'https://ada:secret@registry:8081' }, /url: must not hold a login/],
  [
    'A token beside a user',
    { url: URL, token: 'secret', username: 'a', password: 'secret' },
    /token: given, while/,
  ],
  [
    'A certificate without its key',
    { url: URL, tls: { certFile: import.meta.filename } },
    /tls.keyFile: missing/,
  ],
  [
    'A passphrase without a key',
    { url: URL, tls: { keyPassphrase: 'secret' } },
    /tls.keyPassphrase: given, while/,
  ],
  [
    'A file that is not there',
    { url: URL, tls: { caFile: '/gone.pem' } },
    /tls.caFile: there is no such file/,
  ],
  [
    'Certificates for an address that is not secured',
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
  ['Protobuf without a schema', { format: 'protobuf' }, /protobuf.schema: missing/],
  [
    'A .proto file that is not there',
    { format: 'protobuf', protobuf: { schema: '/gone.proto' } },
    /protobuf.schema: there is no/,
  ],
  ['Events of Debezium in CSV', { format: 'csv', envelope: 'debezium' }, /envelope: debezium belongs to/],
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
