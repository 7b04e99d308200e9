import {
  APIS,
  type ApiName,
  type ReceivedRequest,
  type RequestBody,
  type ResponseBody,
  type SentResponse,
} from './apis.ts'
import { compileReader } from './decode.ts'
import { compileWriter } from './encode.ts'
import type { ApiTable } from './schema.ts'
import { unwritableMessageError, type WireWriter } from './wire-writer.ts'
import type { WireReader } from './wire-reader.ts'

/** Encodes and decodes the requests and responses of one API in one version. */
export interface ApiCodec<A extends ApiName> {
  readonly writeRequest: (writer: WireWriter, body: RequestBody<A>) => void
  readonly readRequest: (reader: WireReader) => ReceivedRequest<A>
  readonly writeResponse: (writer: WireWriter, body: SentResponse<A>) => void
  readonly readResponse: (reader: WireReader) => ResponseBody<A>
}

const CODECS = new Map<string, ApiCodec<ApiName>>()

/**
 * Returns the codec of an API in a version; compiles it from the field tables on first use.
 * @throws KD_SOURCE_FAILED if the tables do not have the version
 */
export function apiCodecOf<A extends ApiName>(api: A, version: number): ApiCodec<A> {
  const key = `${api} ${version}`
  let codec = CODECS.get(key)
  if (codec === undefined) {
    codec = compileCodec(api, APIS[api], version)
    CODECS.set(key, codec)
  }
  return codec
}

function compileCodec(api: ApiName, table: ApiTable, version: number): ApiCodec<ApiName> {
  const [oldest, newest] = table.versions
  if (!Number.isInteger(version) || version < oldest || version > newest) {
    throw unwritableMessageError(`expected a version of ${api} from ${oldest} to ${newest}, got ${version}`)
  }
  const form = { version, isFlexible: table.flexibleFrom !== undefined && version >= table.flexibleFrom }
  return {
    writeRequest: compileWriter(table.request, form),
    readRequest: compileReader(table.request, form),
    writeResponse: compileWriter(table.response, { ...form, leavesOut: true }),
    readResponse: compileReader(table.response, form),
  } as unknown as ApiCodec<ApiName>
}
