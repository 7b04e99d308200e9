import { messageOf } from '../../core/errors.ts'
import type { GcsStoreOptions } from './gcs-options.ts'
import { BLOCKED_ACCESSES, certificateBlockOf, type BlockedAccess } from '../blocked-access.ts'
import {
  errorCodeOf,
  isTransient,
  type StoreDialect,
  type StoreFailure,
  type StoreRequest,
} from '../requests.ts'

/** Describes one HTTP request to the JSON API. */
interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Path below the address of the server, or a complete URL that the server returned. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Statuses beside 2xx that are not errors. */
  readonly expected?: readonly number[]
}

const ENDPOINT = 'https://storage.googleapis.com'
const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write'
/** Maximum length of the text of an error response that is read, in characters. */
const ERROR_CHARACTERS_MAX = 4096

/** Represents an error response of the server. */
export class GcsError extends Error {
  readonly status: number
  /** Google's name of the error, such as `conditionNotMet`. */
  readonly reason: string | undefined

  constructor(status: number, reason: string | undefined, message: string) {
    super(message)
    this.name = 'GcsError'
    this.status = status
    this.reason = reason
  }
}

/** Returns the authorization headers of a request. */
type LogIn = () => Promise<Headers>

/**
 * Sends requests to the JSON API of Google Cloud Storage, without retries. Google's client has 82 dependencies and its own
 * retries, so only its authentication library is used; it is loaded with the first request that needs it.
 */
export class GcsClient {
  readonly #endpoint: string
  readonly #logIn: LogIn | undefined

  constructor({ endpoint, keyFile, anonymous }: GcsStoreOptions) {
    this.#endpoint = (endpoint ?? ENDPOINT).replace(/\/+$/, '')
    this.#logIn = anonymous === true ? undefined : googleLogIn(keyFile)
  }

  /** Sends a request and returns the response with its body unread. Throws a `GcsError` for an error response. */
  async send(call: GcsRequest, signal: AbortSignal): Promise<Response> {
    const url = new URL(call.path.startsWith('http') ? call.path : `${this.#endpoint}${call.path}`)
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value)
    const headers = new Headers(call.headers)
    const login = await this.#logIn?.()
    login?.forEach((value, name) => {
      headers.set(name, value)
    })
    const answer = await fetch(url, {
      method: call.method,
      headers,
      signal,
      // The status 308 reports how much of a resumable upload has arrived.
      redirect: 'manual',
      ...(call.body === undefined ? {} : { body: call.body as Uint8Array<ArrayBuffer> }),
    })
    if (answer.ok || call.expected?.includes(answer.status) === true) return answer
    throw errorOf(answer.status, (await answer.text()).slice(0, ERROR_CHARACTERS_MAX))
  }
}

function googleLogIn(keyFilename: string | undefined): LogIn {
  let auth: Promise<{ getRequestHeaders(): Promise<Headers> }> | undefined
  const open = async () => {
    const { GoogleAuth } = await import('google-auth-library')
    return new GoogleAuth({ scopes: SCOPE, ...(keyFilename === undefined ? {} : { keyFilename }) })
  }
  return async () => {
    auth ??= open()
    return (await auth).getRequestHeaders()
  }
}

function errorOf(status: number, text: string): GcsError {
  try {
    const { error } = JSON.parse(text) as {
      error?: { message?: string; errors?: readonly { reason?: string }[] }
    }
    return new GcsError(status, error?.errors?.[0]?.reason, error?.message ?? text)
  } catch {
    // Uploads and proxies answer with plain text.
    return new GcsError(status, undefined, text === '' ? `HTTP ${status}` : text)
  }
}

/** Names the span attributes of Google Cloud Storage and classifies its errors. */
export const GCS_DIALECT: StoreDialect = {
  name: 'gcs',
  bucket: 'bucket',
  attributesOf: ({ operation, bucket, key }) => ({
    'rpc.system': 'gcp',
    'rpc.service': 'Storage',
    'rpc.method': operation,
    'gcp.storage.bucket': bucket,
    'gcp.storage.object': key,
  }),
  failureOf,
}

/** Error codes of `fetch` without a status: the request could not be sent, or the response was cut off. */
const TRANSIENT_CODES = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

/** Operations for which 404 means that the object is missing; for others it means that the bucket is missing. */
const OBJECT_OPERATIONS = new Set(['objects.get', 'objects.delete'])

/** Google's names of limits, which it reports with the status 403. */
const LIMIT_REASONS = new Set(['rateLimitExceeded', 'userRateLimitExceeded'])
/** Google's names of refusals that are about one object. */
const OBJECT_REASONS = new Set(['retentionPolicyNotMet', 'objectUnderActiveHold'])

function blockedBy(status: number, reason: string | undefined): BlockedAccess | undefined {
  if (status === 401) return BLOCKED_ACCESSES.credentials
  if (status === 404) return BLOCKED_ACCESSES.bucket
  return status === 403 && !OBJECT_REASONS.has(reason ?? '') ? BLOCKED_ACCESSES.permission : undefined
}

function failureOf(error: unknown, { operation }: StoreRequest): StoreFailure {
  if (error instanceof GcsError) {
    const { status, reason, message } = error
    const detail = reason === undefined ? message : `${reason}: ${message}`
    // For an object request only the message says that the bucket is missing.
    if (status === 404 && OBJECT_OPERATIONS.has(operation) && !/bucket does not exist/i.test(message))
      return { code: 'KD_STORE_NOT_FOUND', detail, status }
    if (isTransient(status, undefined) || LIMIT_REASONS.has(reason ?? ''))
      return { code: 'KD_STORE_UNAVAILABLE', detail, status }
    return { code: 'KD_STORE_FAILED', detail, status, blocked: blockedBy(status, reason) }
  }
  const code = errorCodeOf(error) ?? (error instanceof Error ? errorCodeOf(error.cause) : undefined)
  const detail = [code, messageOf(error)].filter((part) => part !== undefined).join(': ')
  const isTimeout = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
  const loginStatus = loginStatusOf(error)
  if (isTimeout || TRANSIENT_CODES.has(code ?? '') || isTransient(loginStatus, code))
    return { code: 'KD_STORE_UNAVAILABLE', detail }
  const blocked = loginStatus === undefined ? certificateBlockOf(code) : BLOCKED_ACCESSES.credentials
  return { code: 'KD_STORE_FAILED', detail, blocked }
}

/** Returns the status of the token server's refusal, which the error of the authentication library carries. */
function loginStatusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined
  return typeof error.status === 'number' ? error.status : undefined
}
