import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ResponseBody } from '../../../../src/kafka/wire/apis.ts'
import { apiCodecOf } from '../../../../src/kafka/wire/codec.ts'
import { encodeStructure } from '../../../../src/kafka/wire/encode.ts'
import { requestApiVersions, intersectVersions } from '../../../../src/kafka/wire/network/negotiate.ts'
import { WireReader } from '../../../../src/kafka/wire/wire-reader.ts'

const UNSUPPORTED = 35

/** A broker that supports ApiVersions up to a version, and the versions that it received. */
function brokerUpTo(
  newest: number,
  isSilentAboutItself = false,
): { readonly asked: number[]; readonly ask: Parameters<typeof requestApiVersions>[0] } {
  const asked: number[] = []
  const keys = [{ apiKey: 18, minVersion: 0, maxVersion: newest }]
  return {
    asked,
    ask: (version, read) => {
      asked.push(version)
      const isKnown = version <= newest
      const apiKeys = isKnown || !isSilentAboutItself ? keys : []
      const body = { errorCode: isKnown ? 0 : UNSUPPORTED, apiKeys }
      const bytes = encodeStructure(apiCodecOf('ApiVersions', isKnown ? version : 0).writeResponse, body)
      return Promise.resolve(read(new WireReader(bytes)))
    },
  }
}

test('A broker that supports our newest version gets one request', async () => {
  const { asked, ask } = brokerUpTo(5)
  assert.equal((await requestApiVersions(ask)).errorCode, 0)
  assert.deepEqual(asked, [5])
})

test('A broker that does not support it responds in version 0 and gets a request in its own newest version', async () => {
  const { asked, ask } = brokerUpTo(3)
  assert.equal((await requestApiVersions(ask)).errorCode, 0)
  assert.deepEqual(asked, [5, 3])
})

test('A broker that does not report its versions of this API gets a request in version 0', async () => {
  const { asked, ask } = brokerUpTo(1, true)
  assert.equal((await requestApiVersions(ask)).errorCode, 0)
  assert.deepEqual(asked, [5, 0])
})

test('Common versions are those that both sides support; an API without one is omitted', () => {
  const apiKeys = [
    { apiKey: 1, minVersion: 0, maxVersion: 11 },
    { apiKey: 3, minVersion: 4, maxVersion: 99 },
    { apiKey: 11, minVersion: 90, maxVersion: 99 },
    { apiKey: 9999, minVersion: 0, maxVersion: 1 },
  ]
  const common = intersectVersions({ errorCode: 0, apiKeys } as unknown as ResponseBody<'ApiVersions'>)
  assert.deepEqual(
    [...common],
    [
      ['Fetch', [4, 11]],
      ['Metadata', [4, 13]],
    ],
  )
})
