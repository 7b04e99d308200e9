import assert from 'node:assert/strict'
import { it } from 'node:test'
import { loadConfig } from '../../config/load.ts'
import { redact, SENSITIVE_KEYS } from '../../config/redact.ts'

it('secrets that are set are hidden, everything else is shown', () => {
  const config = loadConfig({
    object: {
      kafka: { sasl: { mechanism: 'plain', username: 'me', password: 'hunter2' } },
      storage: { s3: { accessKeyId: 'id', secretAccessKey: 'hunter2', sessionToken: 'hunter2' } },
      topics: { a: { table: { uri: 's3://x/a' } } },
    },
  })
  const shown = redact(config)
  assert.ok(!JSON.stringify(shown).includes('hunter2'))
  assert.equal(shown.kafka.sasl?.password, '[secret]')
  assert.equal(shown.kafka.sasl.username, 'me')
  assert.deepEqual(shown.topics['a'], JSON.parse(JSON.stringify(config.topics['a'])))
})

it('secrets that are not set stay absent', () => {
  assert.equal('secretAccessKey' in redact(loadConfig({})).storage.s3, false)
})

it('the sensitive keys are the passwords, secret keys and tokens', () => {
  assert.deepEqual(SENSITIVE_KEYS, [
    'kafka.tls.keyPassphrase',
    'kafka.sasl.password',
    'kafka.sasl.oauth.clientSecret',
    'storage.s3.secretAccessKey',
    'storage.s3.sessionToken',
    'storage.dynamodb.secretAccessKey',
    'storage.dynamodb.sessionToken',
    'storage.azure.accountKey',
    'storage.azure.sasToken',
    'storage.azure.connectionString',
    'schemaRegistry.password',
    'schemaRegistry.token',
    'schemaRegistry.tls.keyPassphrase',
  ])
})
