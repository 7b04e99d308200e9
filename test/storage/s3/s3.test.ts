import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { before, test } from 'node:test'
import { findFreePorts } from '../../../src/local-servers/process.ts'
import type { S3Address } from '../../support/servers/s3.ts'
import { S3Store } from '../../../src/storage/s3/s3.ts'
import type { S3StoreOptions } from '../../../src/storage/s3/s3-options.ts'
import { storeContract } from '../../contracts/store.ts'
import { nameForTests, s3ForTests } from '../../support/servers/servers.ts'

const MIB = 1024 * 1024

let address: S3Address
before(async () => {
  address = await s3ForTests()
})

function options(more: S3StoreOptions = {}): S3StoreOptions {
  const { endpoint, region, accessKeyId, secretAccessKey } = address
  return { endpoint, region, accessKeyId, secretAccessKey, forcePathStyle: true, ...more }
}

storeContract({
  name: 'The S3 store',
  open: async (root) => {
    address = await s3ForTests()
    return new S3Store(address.bucket, root, options({ multipartBytesMin: 9 * MIB }))
  },
  multipartBytes: 21 * MIB + 5,
})

test('Wrong keys are refused immediately, and no secret is in the error', async () => {
  const secretAccessKey = randomBytes(20).toString('hex')
  const store = new S3Store(address.bucket, nameForTests('wrong-keys'), options({ secretAccessKey }))
  for (const request of [
    () => store.get('a'),
    () => store.put('a', Buffer.from('x')),
    () => store.putIfAbsent('a', Buffer.from('x')),
    () => store.list('').next(),
    () => store.delete('a'),
  ]) {
    await assert.rejects(request, (error: unknown) => {
      assert.ok(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'KD_STORE_FAILED')
      for (const secret of [secretAccessKey, address.secretAccessKey])
        assert.equal(JSON.stringify([error, error.message, error.stack, error.cause]).includes(secret), false)
      return true
    })
  }
})

test('A bucket that does not exist is an error and not an empty store', async () => {
  const store = new S3Store('no-such-bucket', 'a', options())
  await assert.rejects(store.get('a'), { code: 'KD_STORE_FAILED', message: /NoSuchBucket.*no-such-bucket/ })
  await assert.rejects(store.list('').next(), { code: 'KD_STORE_FAILED' })
  await assert.rejects(store.putIfAbsent('a', Buffer.from('x')), { code: 'KD_STORE_FAILED' })
})

test('Without a server a request fails as retryable after its attempts, and a conditional put is unknown', async () => {
  const [port] = await findFreePorts(1)
  const store = new S3Store(
    'lake',
    'a',
    options({
      endpoint: `http://127.0.0.1:${String(port)}`,
      retryPolicy: { attemptsMax: 3, minBackoffMs: 1, maxBackoffMs: 2 },
    }),
  )
  await assert.rejects(store.get('a'), { code: 'KD_STORE_UNAVAILABLE', message: /ECONNREFUSED.*attempts 3/ })
  await assert.rejects(store.put('a', Buffer.from('x')), { code: 'KD_STORE_UNAVAILABLE' })
  await assert.rejects(store.list('').next(), { code: 'KD_STORE_UNAVAILABLE' })
  assert.equal(await store.putIfAbsent('a', Buffer.from('x')), 'unknown')
})

test('A store at the root of a bucket works and sees all folders', async () => {
  const inside = new S3Store(address.bucket, nameForTests('inside'), options())
  const root = new S3Store(address.bucket, '', options())
  await inside.put('a/b', Buffer.from('x'))
  const prefix = inside.uri.slice(`s3://${address.bucket}/`.length)
  assert.equal(await root.size(`${prefix}/a/b`), 1)
  assert.equal((await root.list(`${prefix}/`).next()).value?.key, `${prefix}/a/b`)
})
