import { APIS, type ApiName, type ResponseBody } from '../apis.ts'
import { apiCodecOf } from '../codec.ts'
import { BROKER_ERRORS } from '../error-codes.ts'
import type { WireReader } from '../wire-reader.ts'

/** Maps each API to the versions that client and broker support; omits APIs without a common version. */
export type CommonVersions = ReadonlyMap<ApiName, readonly [oldest: number, newest: number]>

/** Sends an ApiVersions request in a version. */
type SendApiVersions = (
  version: number,
  read: (reader: WireReader) => ResponseBody<'ApiVersions'>,
) => Promise<ResponseBody<'ApiVersions'>>

const OLDEST = 0
const API = 'ApiVersions'

/**
 * Requests the versions that a broker supports, first with our newest version of ApiVersions. A broker that does not
 * support that version responds UNSUPPORTED_VERSION in version 0 with its own range (KIP-511); then the request is sent
 * again in a supported version.
 */
export async function requestApiVersions(send: SendApiVersions): Promise<ResponseBody<'ApiVersions'>> {
  const [, newest] = APIS[API].versions
  const first = await send(newest, (reader) => readVersions(reader, newest))
  if (first.errorCode !== BROKER_ERRORS.UNSUPPORTED_VERSION.code) return first
  const own = first.apiKeys.find(({ apiKey }) => apiKey === APIS[API].key)
  const version = own === undefined ? OLDEST : Math.max(OLDEST, Math.min(newest, own.maxVersion))
  return send(version, (reader) => readVersions(reader, version))
}

/** Returns the versions of each API that client and broker both support. */
export function intersectVersions({ apiKeys }: ResponseBody<'ApiVersions'>): CommonVersions {
  const theirs = new Map(apiKeys.map((one) => [one.apiKey, one]))
  const common = new Map<ApiName, readonly [number, number]>()
  for (const api of Object.keys(APIS) as ApiName[]) {
    const their = theirs.get(APIS[api].key)
    if (their === undefined) continue
    const [ourOldest, ourNewest] = APIS[api].versions
    const oldest = Math.max(ourOldest, their.minVersion)
    const newest = Math.min(ourNewest, their.maxVersion)
    if (oldest <= newest) common.set(api, [oldest, newest])
  }
  return common
}

/**
 * Reads the response in version 0 if its error code, which is the first field in every version, is
 * UNSUPPORTED_VERSION.
 */
function readVersions(reader: WireReader, version: number): ResponseBody<'ApiVersions'> {
  const { at } = reader
  const isUnsupported = reader.int16() === BROKER_ERRORS.UNSUPPORTED_VERSION.code
  reader.at = at
  return apiCodecOf(API, isUnsupported ? OLDEST : version).readResponse(reader)
}
