import assert from 'node:assert/strict'
import { it } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'

const HERE = import.meta.filename

const FAULTS: [string, object, RegExp][] = [
  [
    'certificates without TLS',
    { tls: { caFile: HERE } },
    /kafka\.tls\.caFile: given, while kafka\.ssl is not/,
  ],
  ['a file that is not there', { ssl: true, tls: { caFile: '/absent' } }, /caFile: there is no such file/],
  [
    'a certificate without its key',
    { ssl: true, tls: { certFile: HERE } },
    /keyFile: missing, while .*certFile/,
  ],
  ['a passphrase without a key', { ssl: true, tls: { keyPassphrase: 'x' } }, /keyPassphrase: given, while/],
  ['a login that lacks its region', { sasl: { mechanism: 'aws-msk-iam' } }, /aws\.region: missing, while/],
  ['a login without its mechanism', { sasl: { username: 'u' } }, /mechanism: missing, while .*username/],
  ['a user without password', { sasl: { mechanism: 'plain', username: 'u' } }, /password: missing, while/],
  [
    'a login with what it has no use for',
    { sasl: { mechanism: 'aws-msk-iam', username: 'u', aws: { region: 'eu-west-1' } } },
    /username: given, while kafka\.sasl\.mechanism is aws-msk-iam, which has no use for it/,
  ],
  [
    'a token endpoint that is no address',
    { sasl: { mechanism: 'oauthbearer', oauth: { tokenUrl: 'x', clientId: 'i', clientSecret: 's' } } },
    /oauth\.tokenUrl: must start with http/,
  ],
]
for (const [what, kafka, pattern] of FAULTS) {
  it(`${what} is one fault`, () => {
    assert.throws(() => loadConfig({ object: { kafka } }), {
      message: new RegExp(`1 fault\\n.*${pattern.source}`),
    })
  })
}

it('a token login is complete with endpoint, client and secret', () => {
  const oauth = { tokenUrl: 'https://id.example/token', clientId: 'i', clientSecret: 's' }
  const { sasl } = loadConfig({ object: { kafka: { sasl: { mechanism: 'oauthbearer', oauth } } } }).kafka
  assert.deepEqual({ ...sasl?.oauth }, { ...oauth, extensions: {} })
})
