import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { startS3 } from './s3.ts'

test('An S3 server refuses to be written to without keys, and its folder is gone after stop', async () => {
  const server = await startS3({ bucket: 'pond' })
  try {
    const response = await fetch(`${server.endpoint}/pond/absent`, { method: 'PUT', body: 'x' })
    assert.equal(response.status, 403)
  } finally {
    await server.stop()
  }
  assert.equal(existsSync(server.dir), false)
})
