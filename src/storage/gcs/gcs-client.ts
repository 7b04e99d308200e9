import { messageOf } from '../../core/errors.ts'
import type { GcsStoreOptions } from './gcs-options.ts'
import { codeOf, isPassing, type Dialect, type Failure, type StoreRequest } from '../requests.ts'

/** One HTTP request to the JSON API. */
export interface GcsCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Path below the address of the server, or a whole address that the server gave. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Statuses that are answers and no errors, beside those of success. */
  readonly expected?: readonly number[]
}

const ENDPOINT = 'https://storage.googleapis.com'
const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write'
/** An answer of an error is read up to this length, in characters. */
const ERROR_CHARACTERS_MAX = 4096

/** An answer that is an error. */
export class GcsError extends Error {
  readonly status: number
  /** Google's own name of it, such as `conditionNotMet`. */
  readonly reason: string | undefined

  constructor(status: number, reason: string | undefined, message: string) {
    super(message)
    this.name = 'GcsError'
    this.status = status
    this.reason = reason
  }
}

/** Gives the headers that log a request in. */
type LogIn = () => Promise<Headers>

/**
 * Speaks the JSON API of Google Cloud Storage, each call once. Google's own client brings 82 packages and retries of
 * its own, so only what logs in is taken from there, and loaded with the first request that needs it.
 */
export class GcsClient {
  readonly #endpoint: string
  readonly #logIn: LogIn | undefined

  constructor({ endpoint, keyFile, anonymous }: GcsStoreOptions) {
    this.#endpoint = (endpoint ?? ENDPOINT).replace(/\/+$/, '')
    this.#logIn = anonymous === true ? undefined : googleLogIn(keyFile)
  }

  /** Sends a request and returns its answer, whose body is yet to be read. Throws a `GcsError` for an answer that is one. */
  async send(call: GcsCall, signal: AbortSignal): Promise<Response> {
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
      // The status 308 says here how much of an upload has arrived.
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
    // Uploads and servers between us and Google answer with plain text.
    return new GcsError(status, undefined, text === '' ? `HTTP ${status}` : text)
  }
}

/** How Google names things, and what failures of calls mean. */
export const GCS_DIALECT: Dialect = {
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

/** Errors of `fetch` without a status: the request could not be sent, or its answer broke off. */
const PASSING_CODES = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

/** What may find no object; another request that finds nothing has found no bucket. */
const OF_OBJECTS = new Set(['objects.get', 'objects.delete'])

function failureOf(error: unknown, { operation }: StoreRequest): Failure {
  if (error instanceof GcsError) {
    const { status, reason, message } = error
    const detail = reason === undefined ? message : `${reason}: ${message}`
    // To a request for an object only the message tells that its bucket is missing.
    if (status === 404 && OF_OBJECTS.has(operation) && !/bucket does not exist/i.test(message))
      return { code: 'KD_STORE_NOT_FOUND', detail, status }
    return { code: isPassing(status, undefined) ? 'KD_STORE_UNAVAILABLE' : 'KD_STORE_FAILED', detail, status }
  }
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined)
  const detail = [code, messageOf(error)].filter((part) => part !== undefined).join(': ')
  const isTime = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
  const passes = isTime || PASSING_CODES.has(code ?? '') || isPassing(loginStatusOf(error), code)
  return { code: passes ? 'KD_STORE_UNAVAILABLE' : 'KD_STORE_FAILED', detail }
}

/** The status with which the server that gives out tokens refused; the error of the library carries it. */
function loginStatusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined
  return typeof error.status === 'number' ? error.status : undefined
}
