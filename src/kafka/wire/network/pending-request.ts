import { APIS, type ApiName, requestHeaderVersion, type RequestBody, type ResponseBody } from '../apis.ts'
import { responseHeaderVersion } from '../apis.ts'
import { apiCodecOf } from '../codec.ts'
import type { ApiTable } from '../schema.ts'
import { malformedMessageError, WireReader } from '../wire-reader.ts'
import { unwritableMessageError, WireWriter } from '../wire-writer.ts'

/** Configures how a channel sends one request and reads its response. */
export interface SendOptions<A extends ApiName> {
  /** Maximum time until the response, in milliseconds; the limit of the channel by default. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Time after which a broker that works would have responded, in milliseconds; absent if it may take until the timeout. */
  readonly silenceMs?: number
  /** True to send the request at once, even while the channel is held. */
  readonly isUrgent?: boolean
  /** Reads the response instead of the codec of the version. */
  readonly read?: ((reader: WireReader) => ResponseBody<A>) | undefined
}

/** Holds an encoded request that waits to be sent or for its response. */
export interface PendingRequest {
  readonly api: ApiName
  readonly version: number
  readonly correlationId: number
  /** The bytes to send, in parts: length, header and body. */
  readonly frame: readonly Uint8Array[]
  readonly timeoutMs: number
  /** Time after which the missing response is reported, in milliseconds; infinite if it never is. */
  readonly silenceMs: number
  readonly read: (reader: WireReader) => unknown
  readonly resolve: (response: unknown) => void
  readonly reject: (error: unknown) => void
  /** Called when the response has arrived or the channel is closed. */
  onSettled?: () => void
}

const LENGTH_BYTES = 4

/**
 * Encodes a request with its header.
 * @throws KD_SOURCE_FAILED if the version cannot carry a value of the body
 */
export function encodeRequest<A extends ApiName>(
  api: A,
  version: number,
  body: RequestBody<A>,
  request: Pick<PendingRequest, 'correlationId' | 'timeoutMs' | 'silenceMs' | 'resolve' | 'reject'> & {
    readonly clientId: string
    readonly read: ((reader: WireReader) => ResponseBody<A>) | undefined
  },
): PendingRequest {
  const { clientId, correlationId, timeoutMs, silenceMs, resolve, reject } = request
  const codec = apiCodecOf(api, version)
  const writer = new WireWriter()
  writer.int32(0)
  writeRequestHeader(writer, { api, version, correlationId, clientId })
  codec.writeRequest(writer, body)
  writer.setInt32(0, writer.length - LENGTH_BYTES)
  const read = request.read ?? codec.readResponse
  const frame = writer.toBuffers()
  return { api, version, correlationId, frame, timeoutMs, silenceMs, read, resolve, reject }
}

/** Describes the header of a request. */
export interface RequestHeader {
  readonly api: ApiName
  readonly version: number
  readonly correlationId: number
  /** Null if the client sends no id. */
  readonly clientId: string | null
}

/**
 * Writes the header of a request: API, version, correlation id, client id and, in flexible versions, zero tagged
 * fields.
 */
export function writeRequestHeader(writer: WireWriter, header: RequestHeader): void {
  const table: ApiTable = APIS[header.api]
  writer.int16(table.key)
  writer.int16(header.version)
  writer.int32(header.correlationId)
  const clientId = header.clientId === null ? undefined : Buffer.from(header.clientId)
  if (clientId !== undefined && clientId.length > 0x7fff)
    throw unwritableMessageError('the client id is longer than 32,767 bytes')
  writer.int16(clientId?.length ?? -1)
  if (clientId !== undefined) writer.raw(clientId)
  if (requestHeaderVersion(table, header.version) === 2) writer.uvarint(0)
}

const APIS_BY_KEY = new Map((Object.keys(APIS) as ApiName[]).map((api) => [APIS[api].key as number, api]))

/**
 * Reads the header of a request, as a broker does.
 * @throws KD_SOURCE_FAILED if the API has no field tables
 */
export function readRequestHeader(reader: WireReader): RequestHeader {
  const key = reader.int16()
  const api = APIS_BY_KEY.get(key)
  if (api === undefined) throw malformedMessageError(`expected a known API key, got ${key}`)
  const version = reader.int16()
  const correlationId = reader.int32()
  const length = reader.int16()
  const clientId = length < 0 ? null : reader.text(length)
  if (requestHeaderVersion(APIS[api], version) === 2) skipTagged(reader)
  return { api, version, correlationId, clientId }
}

/**
 * Decodes a response with its header.
 * @throws KD_SOURCE_FAILED if the frame is malformed, has bytes left over, or belongs to another request
 */
export function decodeResponse(
  request: PendingRequest,
  frame: Buffer,
): { readonly response: unknown; readonly throttleTimeMs: number } {
  const { api, version, correlationId, read } = request
  const table: ApiTable = APIS[api]
  const reader = new WireReader(frame)
  const receivedId = reader.int32()
  if (receivedId !== correlationId) {
    throw malformedMessageError(
      `expected the response to ${api} with correlation id ${correlationId}, got ${receivedId}`,
    )
  }
  if (responseHeaderVersion(table, version) === 1) skipTagged(reader)
  const response = read(reader) as { readonly throttleTimeMs?: number }
  if (reader.at !== reader.end) {
    throw malformedMessageError(
      `expected the end of ${api} version ${version}, got ${reader.end - reader.at} more bytes`,
    )
  }
  const isThrottling = table.throttlesFrom !== undefined && version >= table.throttlesFrom
  return { response, throttleTimeMs: isThrottling ? (response.throttleTimeMs ?? 0) : 0 }
}

/** Skips the tagged fields of a header. */
export function skipTagged(reader: WireReader): void {
  const count = reader.uvarint()
  for (let i = 0; i < count; i++) {
    reader.uvarint()
    reader.skip(reader.uvarint())
  }
}
