import { readFileSync } from 'node:fs'
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { messageOf, PipelineError } from '../core/errors.ts'
import type { TlsFiles } from '../core/tls/tls-files.ts'

/** Describes the response of a server. */
export interface HttpResponse {
  readonly status: number
  readonly body: string
}

/** Sends GET requests over connections that it keeps for the next request. */
export interface HttpClient {
  /** Rejects with the network or TLS error, and when the response is too large or too late. */
  get(url: string): Promise<HttpResponse>
  /** Closes all connections. */
  close(): void
}

/** Larger responses are refused. */
const BODY_BYTES_MAX = 16 * 1024 * 1024
const CONNECTIONS_MAX = 8
const IDLE_MS_MAX = 30_000

/**
 * Returns a client that sends GET requests with `headers` and waits at most `requestMsMax` milliseconds for each
 * response. Redirects are not followed. Connections that are not used for half a minute are closed.
 * @throws KD_CONFIG_INVALID when a file of `tls` cannot be read
 */
export function createHttpClient(
  headers: Readonly<Record<string, string>>,
  requestMsMax: number,
  tls: TlsFiles = {},
): HttpClient {
  const limits = { keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: IDLE_MS_MAX }
  const plain = new HttpAgent(limits)
  const secure = new HttpsAgent({ ...limits, ...readTlsFiles(tls) })
  const get = (url: string): Promise<HttpResponse> =>
    new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(requestMsMax)
      const take = (response: IncomingMessage): void => {
        readBody(response).then((body) => {
          resolve({ status: response.statusCode ?? 0, body })
        }, reject)
      }
      const options: RequestOptions = { headers, signal }
      const request = url.startsWith('https:')
        ? httpsRequest(url, { ...options, agent: secure }, take)
        : httpRequest(url, { ...options, agent: plain }, take)
      request.once('error', (error) => {
        reject(signal.aborted ? new Error(`no response within ${requestMsMax} ms`, { cause: error }) : error)
      })
      request.end()
    })
  return {
    get,
    close: () => {
      plain.destroy()
      secure.destroy()
    },
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > BODY_BYTES_MAX)
      throw new Error(`expected a response of at most ${BODY_BYTES_MAX} bytes, got more`)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readTlsFiles({ caFile, certFile, keyFile, keyPassphrase }: TlsFiles): {
  ca?: Buffer
  cert?: Buffer
  key?: Buffer
  passphrase?: string
} {
  return {
    ...(caFile === undefined ? {} : { ca: readTlsFile(caFile) }),
    ...(certFile === undefined ? {} : { cert: readTlsFile(certFile) }),
    ...(keyFile === undefined ? {} : { key: readTlsFile(keyFile) }),
    ...(keyPassphrase === undefined ? {} : { passphrase: keyPassphrase }),
  }
}

function readTlsFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      `cannot be read: ${messageOf(error)}`,
      { path },
      { cause: error },
    )
  }
}
