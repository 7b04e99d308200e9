import assert from 'node:assert/strict'
import { it } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'

const HERE = import.meta.filename

const FAULTS: [string, object, RegExp][] = [
  [
    'certificates without TLS',
    { tls: { caFile: HERE } },
    /kafka\.tls\.caFile: is set, but kafka\.ssl is not/,
  ],
  ['a file that does not exist', { ssl: true, tls: { caFile: '/absent' } }, /caFile: does not exist/],
  [
    'a certificate without its key',
    { ssl: true, tls: { certFile: HERE } },
    /keyFile: is required because .*certFile/,
  ],
  ['a passphrase without a key', { ssl: true, tls: { keyPassphrase: 'x' } }, /keyPassphrase: is set, but/],
  ['a login that lacks its region', { sasl: { mechanism: 'aws-msk-iam' } }, /aws\.region: is required by/],
  ['a login without its mechanism', { sasl: { username: 'u' } }, /mechanism: is required because .*username/],
  ['a user without password', { sasl: { mechanism: 'plain', username: 'u' } }, /password: is required by/],
  [
    'a login with an option that it does not use',
    { sasl: { mechanism: 'aws-msk-iam', username: 'u', aws: { region: 'eu-west-1' } } },
    /username: is set, but kafka\.sasl\.mechanism aws-msk-iam does not use it/,
  ],
  [
    'a token endpoint that is not a URL',
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
