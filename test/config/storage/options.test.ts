import assert from 'node:assert/strict'
import { it } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'

it('the environment variables of other engines for DynamoDB, Azure and Google are read', () => {
  const { storage } = loadConfig({
    env: {
      AWS_S3_LOCKING_PROVIDER: 'dynamodb',
      DELTA_DYNAMO_TABLE_NAME: 'locks',
      AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:8000',
      AZURE_STORAGE_ACCOUNT_NAME: 'lake',
      AZURE_STORAGE_ACCOUNT_KEY: 'secret',
      GOOGLE_APPLICATION_CREDENTIALS: '/run/secrets/google.json',
    },
  })
  assert.equal(storage.s3.logStore, 'dynamodb')
  assert.deepEqual({ ...storage.dynamodb }, { table: 'locks', endpoint: 'http://127.0.0.1:8000' })
  assert.deepEqual({ ...storage.azure }, { accountName: 'lake', accountKey: 'secret' })
  assert.deepEqual({ ...storage.gcs }, { keyFile: '/run/secrets/google.json', anonymous: false })
})

for (const [storage, message] of [
  [{ dynamodb: { secretAccessKey: 'k' } }, /storage\.dynamodb\.accessKeyId: is required because/],
  [{ dynamodb: { sessionToken: 'k' } }, /storage\.dynamodb\.sessionToken: is set, but/],
  [{ azure: { accountKey: 'k', sasToken: 't' } }, /storage\.azure\.accountKey: only one login method/],
  [{ azure: { endpoint: 'azurite:10000' } }, /storage\.azure\.endpoint: must start with http/],
  [{ gcs: { endpoint: 'localhost:4443' } }, /storage\.gcs\.endpoint: must start with http/],
  [{ s3: { logStore: 'zookeeper' } }, /storage\.s3\.logStore: must be one of/],
] as const)
  it(`${JSON.stringify(storage)} is refused`, () => {
    assert.throws(() => loadConfig({ object: { storage } }), { code: 'KD_CONFIG_INVALID', message })
  })
