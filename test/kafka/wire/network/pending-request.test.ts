import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type PendingRequest,
  encodeRequest,
  readRequestHeader,
  decodeResponse,
  writeRequestHeader,
} from '../../../../src/kafka/wire/network/pending-request.ts'
import { WireReader } from '../../../../src/kafka/wire/wire-reader.ts'
import { WireWriter } from '../../../../src/kafka/wire/wire-writer.ts'
import { responseFrame } from '../support/fake-broker.ts'

function heartbeat(version: number): PendingRequest {
  return encodeRequest(
    'Heartbeat',
    version,
    { groupId: 'g', generationId: 1, memberId: 'm' },
    {
      ...{ correlationId: 7, silenceMs: Infinity, timeoutMs: 1, clientId: 'us', read: undefined },
      ...{ resolve: () => undefined, reject: () => undefined },
    },
  )
}

test('A request begins with its length, API key, version, correlation id and client id', () => {
  assert.equal(
    Buffer.concat(heartbeat(0).frame).toString('hex'),
    '00000016000c00000000000700027573' + '000167' + '00000001' + '00016d',
  )
  // Flexible since version 4; the client id is never compact.
  assert.equal(
    Buffer.concat(heartbeat(4).frame).toString('hex'),
    '00000017000c0004000000070002757300' + '0267' + '00000001' + '026d' + '00' + '00',
  )
})

test('Request headers are read as written', () => {
  for (const version of [0, 3, 4]) {
    for (const clientId of ['us', '', null]) {
      const header = { api: 'Heartbeat', version, correlationId: -5, clientId } as const
      const writer = new WireWriter()
      writeRequestHeader(writer, header)
      const reader = new WireReader(writer.toBuffer())
      assert.deepEqual(readRequestHeader(reader), header)
      assert.equal(reader.at, reader.end)
    }
  }
  assert.throws(() => readRequestHeader(new WireReader(Buffer.from('7fff0000000000010000', 'hex'))), {
    code: 'KD_SOURCE_FAILED',
    message: /expected a known API key, got 32767/,
  })
  assert.throws(() => {
    const header = { api: 'Heartbeat', version: 0, correlationId: 1, clientId: 'x'.repeat(40_000) } as const
    writeRequestHeader(new WireWriter(), header)
  }, /client id/)
})

test('Tagged fields in the header of a response are skipped', () => {
  const call = heartbeat(4)
  const header = { api: 'Heartbeat', version: 4, correlationId: 7, clientId: null } as const
  const frame = responseFrame(header, { errorCode: 27, throttleTimeMs: 5 }).subarray(4)
  const tagged = Buffer.concat([
    frame.subarray(0, 4),
    Buffer.from('02000201020901ff', 'hex'),
    frame.subarray(5),
  ])
  const { response, throttleTimeMs } = decodeResponse(call, tagged)
  assert.deepEqual(response, { throttleTimeMs: 5, errorCode: 27 })
  assert.equal(throttleTimeMs, 5)
})
