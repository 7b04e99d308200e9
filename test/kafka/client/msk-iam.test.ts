import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { signMskToken } from '../../../src/kafka/client/msk-iam.ts'

const before = { ...process.env }
after(() => {
  process.env = before
})

it('a token for Amazon MSK is a connect request signed with the credentials found', async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-key' })
  const { value, expiresAtMs } = await signMskToken({ region: 'eu-west-1' })
  const url = new URL(Buffer.from(value, 'base64url').toString())
  assert.equal(url.host, 'kafka.eu-west-1.amazonaws.com')
  assert.equal(url.searchParams.get('Action'), 'kafka-cluster:Connect')
  assert.match(
    url.searchParams.get('X-Amz-Credential') ?? '',
    /^AKIDEXAMPLE\/\d{8}\/eu-west-1\/kafka-cluster\//,
  )
  assert.match(url.searchParams.get('X-Amz-Signature') ?? '', /^[0-9a-f]{64}$/)
  const lifeMs = expiresAtMs - Date.now()
  assert.ok(lifeMs > 800_000 && lifeMs <= 900_000, `it is good for a quarter of an hour, got ${lifeMs} ms`)
})
