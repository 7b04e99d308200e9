import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PipelineError } from '../../../src/core/errors.ts'
import {
  APIS,
  type ApiName,
  requestHeaderVersion,
  responseHeaderVersion,
} from '../../../src/kafka/wire/apis.ts'
import { type ApiCodec, apiCodecOf } from '../../../src/kafka/wire/codec.ts'
import { decodeStructure } from '../../../src/kafka/wire/decode.ts'
import { encodeStructure } from '../../../src/kafka/wire/encode.ts'
import type { WireReader } from '../../../src/kafka/wire/wire-reader.ts'
import type { WireWriter } from '../../../src/kafka/wire/wire-writer.ts'
import { messagesOfTable } from './support/arbitrary.ts'
import { echoOfJava } from './support/java.ts'

/** One direction of an API in one version. */
interface Form {
  readonly api: ApiName
  readonly isResponse: boolean
  readonly version: number
  readonly messages: fc.Arbitrary<Record<string, unknown>>
  readonly write: (message: Record<string, unknown>) => Buffer
  readonly read: (bytes: Uint8Array) => unknown
}

const FORMS: readonly Form[] = (Object.keys(APIS) as ApiName[]).flatMap((api) => {
  const { versions, request, response } = APIS[api]
  const range = Array.from({ length: versions[1] - versions[0] + 1 }, (_, i) => versions[0] + i)
  return range.flatMap((version) => {
    const codec = apiCodecOf(api, version) as unknown as ApiCodec<'Heartbeat'>
    return [false, true].map((isResponse): Form => {
      const write = isResponse ? codec.writeResponse : codec.writeRequest
      const read: (reader: WireReader) => unknown = isResponse ? codec.readResponse : codec.readRequest
      return {
        api,
        isResponse,
        version,
        messages: messagesOfTable(isResponse ? response : request, version),
        write: (message) => encodeStructure(write as (writer: WireWriter, value: unknown) => void, message),
        read: (bytes) => decodeStructure(read, bytes),
      }
    })
  })
})

function nameOf({ api, isResponse, version }: Form): string {
  return `${api} ${isResponse ? 'response' : 'request'} ${version}`
}

test('Every message of every version is read as it was written', () => {
  assert.ok(FORMS.length > 200)
  for (const form of FORMS) {
    fc.assert(
      fc.property(form.messages, (message) => {
        assert.deepEqual(plain(form.read(form.write(message))), plain(message), nameOf(form))
      }),
      { numRuns: 30 },
    )
  }
})

test("Kafka's own classes read every message and write the same bytes", async () => {
  const samples = FORMS.flatMap((form) =>
    fc
      .sample(form.messages, { numRuns: 10, seed: 7 })
      .map((message) => ({ form, message, bytes: form.write(message) })),
  )
  const echoes = await echoOfJava(samples.map(({ form, bytes }) => ({ ...form, bytes })))
  assert.equal(echoes.length, samples.length)
  const tooNew = new Set<string>()
  for (const [i, { form, message, bytes }] of samples.entries()) {
    const echo = echoes[i]
    assert.ok(echo !== undefined)
    if ('fault' in echo) {
      assert.match(echo.fault, /version too new/, nameOf(form))
      tooNew.add(nameOf(form))
      continue
    }
    // Kafka's classes omit tagged fields with default values, and so do we.
    assert.equal(
      echo.bytes.toString('hex'),
      bytes.toString('hex'),
      `${nameOf(form)} ${JSON.stringify(message, big)}`,
    )
    const header = form.isResponse ? responseHeaderVersion : requestHeaderVersion
    assert.equal(header(APIS[form.api], form.version), echo.headerVersion, nameOf(form))
  }
  // Versions newer than the release of the jars.
  for (const name of tooNew) assert.match(name, /^(?:ApiVersions .* 5|ListOffsets .* 11)$/)
})

test('A truncated message, and one with extra bytes, is refused', () => {
  for (const form of FORMS) {
    const [message] = fc.sample(form.messages, { numRuns: 1, seed: 11 })
    assert.ok(message !== undefined)
    const bytes = form.write(message)
    for (let length = 0; length < bytes.length; length++) refused(form, bytes.subarray(0, length), 'cut')
    refused(form, Buffer.concat([bytes, Buffer.alloc(1)]), 'longer')
  }
})

test('Changed bytes are read or refused, without more values than they can contain', () => {
  for (const form of FORMS) {
    fc.assert(
      fc.property(
        form.messages,
        fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff))), {
          minLength: 1,
          maxLength: 4,
        }),
        (message, changes) => {
          const bytes = form.write(message)
          if (bytes.length === 0) return
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte
          try {
            const read = form.read(bytes)
            assert.ok(sizeOf(read) <= 40 * (bytes.length + 1), nameOf(form))
          } catch (error) {
            assert.ok(error instanceof PipelineError, `${nameOf(form)}: ${String(error)}`)
          }
        },
      ),
      { numRuns: 30 },
    )
  }
})

test('Random bytes are read or refused', () => {
  for (const form of FORMS) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          form.read(bytes)
        } catch (error) {
          assert.ok(error instanceof PipelineError, `${nameOf(form)}: ${String(error)}`)
        }
      }),
      { numRuns: 30 },
    )
  }
})

test('A version that the tables do not have is refused', () => {
  for (const version of [-1, 3, 19, 4.5])
    assert.throws(() => apiCodecOf('Fetch', version), { code: 'KD_SOURCE_FAILED', retryable: false })
})

test('Records share the buffer of the response', () => {
  const codec = apiCodecOf('Fetch', 17)
  const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 5n, abortedTransactions: null }
  const bytes = encodeStructure((writer) => {
    codec.writeResponse(writer, {
      responses: [
        { topicId: 'ab'.repeat(16), partitions: [{ ...partition, records: Buffer.from('records') }] },
      ],
    })
  }, undefined)
  const { responses } = decodeStructure((reader) => codec.readResponse(reader), bytes)
  const records = responses[0]?.partitions[0]?.records
  assert.ok(records instanceof Uint8Array)
  assert.equal(Buffer.from(records).toString(), 'records')
  assert.equal(records.buffer, bytes.buffer)
})

function refused(form: Form, bytes: Uint8Array, what: string): void {
  assert.throws(
    () => form.read(bytes),
    (error) => error instanceof PipelineError && error.code === 'KD_SOURCE_FAILED',
    `${nameOf(form)} ${what} at ${bytes.length}`,
  )
}

/** Buffers as plain arrays of bytes, so that they are compared by content. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
}

/** Counts all values. */
function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 1
  return Object.values(value).reduce((sum: number, one) => sum + sizeOf(one), 1)
}

function big(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
