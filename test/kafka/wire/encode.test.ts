import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiCodecOf } from '../../../src/kafka/wire/codec.ts'
import { decodeStructure } from '../../../src/kafka/wire/decode.ts'
import { encodeStructure } from '../../../src/kafka/wire/encode.ts'
import { REQUEST_BYTES_MAX } from '../../../src/kafka/wire/wire-writer.ts'

test('Omitted fields have their defaults', () => {
  const codec = apiCodecOf('Fetch', 17)
  const bytes = encodeStructure(codec.writeRequest, { maxWaitMs: 5, minBytes: 1, topics: [] })
  const request = decodeStructure(codec.readRequest, bytes)
  assert.equal(request.maxBytes, 0x7fff_ffff)
  assert.equal(request.sessionEpoch, -1)
  assert.equal(request.clusterId, null)
  assert.deepEqual(request.replicaState, { replicaId: -1, replicaEpoch: -1n })
  // Topics, forgotten topics and rack are empty, and there is no tagged field.
  assert.equal(bytes.subarray(-4).toString('hex'), '01010100')
})

test('A value that a version cannot carry is refused, unless the field is ignorable', () => {
  const { writeRequest } = apiCodecOf('Heartbeat', 2)
  const body = { groupId: 'g', generationId: 1, memberId: 'm' }
  assert.throws(() => encodeStructure(writeRequest, { ...body, groupInstanceId: 'pod-1' }), {
    code: 'KD_SOURCE_FAILED',
    message: /groupInstanceId has a value that version 2 cannot carry/,
    retryable: false,
  })
  const plain = encodeStructure(writeRequest, body)
  assert.deepEqual(encodeStructure(writeRequest, { ...body, groupInstanceId: null }), plain)
  const join = apiCodecOf('JoinGroup', 7)
  const member = { groupId: 'g', sessionTimeoutMs: 1, memberId: '', protocolType: 'consumer', protocols: [] }
  assert.deepEqual(
    encodeStructure(join.writeRequest, { ...member, reason: 'left' }),
    encodeStructure(join.writeRequest, member),
  )
})

test('Values that exceed the wire format are refused', () => {
  const { writeRequest } = apiCodecOf('Heartbeat', 0)
  const body = { groupId: 'g', generationId: 1, memberId: 'm' }
  assert.throws(
    () => encodeStructure(writeRequest, { ...body, groupId: 'g'.repeat(40_000) }),
    /at most 32767 bytes/,
  )
  assert.throws(
    () => encodeStructure(writeRequest, { ...body, groupId: null as unknown as string }),
    /must not be null/,
  )
  const fetch = apiCodecOf('Fetch', 17)
  const topics = [{ topicId: 'not hex', partitions: [] }]
  assert.throws(
    () => encodeStructure(fetch.writeRequest, { maxWaitMs: 0, minBytes: 0, topics }),
    /expected 32 hex digits/,
  )
})

test('A message cannot exceed the maximum size', () => {
  const { writeRequest } = apiCodecOf('SaslAuthenticate', 0)
  const authBytes = new Uint8Array(REQUEST_BYTES_MAX)
  assert.throws(() => encodeStructure(writeRequest, { authBytes }), {
    code: 'KD_SOURCE_FAILED',
    message: /at most/,
  })
})
