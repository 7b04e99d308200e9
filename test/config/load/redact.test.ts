import assert from 'node:assert/strict'
import { it } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { redact, SENSITIVE_KEYS, createSecretRedactor } from '../../../config/load/redact.ts'

it('secrets that are set are hidden, everything else is shown', () => {
  const config = loadConfig({
    object: {
      kafka: { sasl: { mechanism: 'plain', username: 'me', password: 'hunter2' } },
      storage: { s3: { accessKeyId: 'id', secretAccessKey: 'hunter2', sessionToken: 'hunter2' } },
      topics: { a: { table: { uri: 's3://lake/a' } } },
    },
  })
  const shown = redact(config)
  assert.ok(!JSON.stringify(shown).includes('hunter2'))
  assert.equal(shown.kafka.sasl?.password, '[secret]')
  assert.equal(shown.kafka.sasl.username, 'me')
  assert.deepEqual(shown.topics['a'], JSON.parse(JSON.stringify(config.topics['a'])))
})

it('secrets are in no message about faults', () => {
  const secret = 'hunter2'
  const object = {
    kafka: { sasl: { password: secret } },
    storage: { s3: { secretAccessKey: [secret], sessionToken: secret } },
  }
  assert.throws(
    () => loadConfig({ object }),
    (error: unknown) =>
      error instanceof Error && error.message.split('\n').length > 3 && !error.message.includes(secret),
  )
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
    'admin.token',
  ])
})

it('logins and signatures in addresses are hidden too, accounts and buckets are not', () => {
  const shown = redact({
    schemaRegistry: { url: 'https://me:hunter2@registry:8081/x' },
    topics: { a: { table: { uri: 'abfss://lake@account.dfs.core.windows.net/a?sv=1&sig=hunter2%3D&x=1' } } },
    list: ['http://u:hunter2@h'],
  })
  assert.deepEqual(shown, {
    schemaRegistry: { url: 'https://[secret]@registry:8081/x' },
    topics: {
      a: {
        table: { uri: 'abfss://lake@account.dfs.core.windows.net/a?sv=[secret]&sig=[secret]&x=[secret]' },
      },
    },
    list: ['http://[secret]@h'],
  })
})

it('a text that holds a secret loses it, in the forms of JSON and of addresses too; short values hide nothing', () => {
  const hide = createSecretRedactor({
    kafka: { sasl: { password: 'a "b"/c' } },
    storage: { s3: { sessionToken: 'abc' } },
  })
  assert.equal(hide('login a "b"/c failed'), 'login [secret] failed')
  assert.equal(hide(JSON.stringify({ why: 'a "b"/c' })), '{"why":"[secret]"}')
  assert.equal(hide('?p=a%20%22b%22%2Fc'), '?p=[secret]')
  assert.equal(hide('abc'), 'abc')
})

it('whatever sensitive option is set, neither the configuration that is shown nor a text has its value', () => {
  const secretOf = (key: string): string => `value-of-${key}`
  const tree: Record<string, unknown> = {}
  for (const key of SENSITIVE_KEYS) {
    const names = key.split('.')
    const last = names.pop() ?? ''
    let section = tree
    for (const name of names) section = (section[name] ??= {}) as Record<string, unknown>
    section[last] = secretOf(key)
  }
  const shown = JSON.stringify(redact(tree))
  const hidden = createSecretRedactor(tree)(SENSITIVE_KEYS.map(secretOf).join(' '))
  for (const key of SENSITIVE_KEYS) {
    assert.ok(!shown.includes(secretOf(key)), key)
    assert.ok(!hidden.includes(secretOf(key)), key)
  }
})

it('logins and values of queries are hidden in every address, and what looks alike is shown', () => {
  const config = {
    schemaRegistry: {
      url: 'https://token-of-the-user@registry.example/path?access=very-secret&b=another-secret',
    },
    proxies: ['http://user:a-long-password@one.example', 'http://two.example/a?key=third-secret'],
    table: 'abfss://container@account.dfs.core.windows.net/lake/what?not',
    brokers: 'broker-1:9092,broker-2:9092',
    filter: "kafka.topic != 'a?b=c' && x@y",
  }
  assert.deepEqual(redact(config), {
    schemaRegistry: { url: 'https://[secret]@registry.example/path?access=[secret]&b=[secret]' },
    proxies: ['http://[secret]@one.example', 'http://two.example/a?key=[secret]'],
    table: config.table,
    brokers: config.brokers,
    filter: config.filter,
  })
  const hide = createSecretRedactor(config)
  assert.equal(
    hide(
      'GET https://token-of-the-user@registry.example/path?access=very-secret failed; a-long-password, third-secret',
    ),
    'GET https://[secret]@registry.example/path?access=[secret] failed; [secret], [secret]',
  )
})
