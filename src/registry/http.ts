import { readFileSync } from 'node:fs'
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { messageOf, PipelineError } from '../core/errors.ts'

/** Whom a client trusts and as whom it comes: paths of PEM files. `certFile` and `keyFile` are both there or both absent. */
export interface ClientTls {
  /** Authorities that may sign the server's certificate, instead of those that Node knows. */
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly keyPassphrase?: string
}

/** What a server said. */
export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

/** Asks for what lies at an address. Rejects with what the network or TLS says, and for an answer that is too long or too late. */
export type HttpGet = (url: string) => Promise<HttpAnswer>

/** Answers that are longer are none. */
const BODY_BYTES_MAX = 16 * 1024 * 1024
const CONNECTIONS_MAX = 8

/**
 * A client that sends `headers` with everything it asks for and waits `requestMsMax` for each answer. Redirects are
 * answers like any other.
 * @throws KD_CONFIG_INVALID where a file of `tls` cannot be read
 */
export function httpGetter(
  headers: Readonly<Record<string, string>>,
  requestMsMax: number,
  tls: ClientTls = {},
): HttpGet {
  const limits = { keepAlive: true, maxSockets: CONNECTIONS_MAX }
  const plain = new HttpAgent(limits)
  const secure = new HttpsAgent({ ...limits, ...secretsOf(tls) })
  return (url) =>
    new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(requestMsMax)
      const take = (response: IncomingMessage): void => {
        bodyOf(response).then((body) => {
          resolve({ status: response.statusCode ?? 0, body })
        }, reject)
      }
      const options: RequestOptions = { headers, signal }
      const request = url.startsWith('https:')
        ? httpsRequest(url, { ...options, agent: secure }, take)
        : httpRequest(url, { ...options, agent: plain }, take)
      request.once('error', (error) => {
        reject(signal.aborted ? new Error(`no answer within ${requestMsMax} ms`, { cause: error }) : error)
      })
      request.end()
    })
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > BODY_BYTES_MAX)
      throw new Error(`expected an answer of at most ${BODY_BYTES_MAX} bytes, got more`)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function secretsOf({ caFile, certFile, keyFile, keyPassphrase }: ClientTls): {
  ca?: Buffer
  cert?: Buffer
  key?: Buffer
  passphrase?: string
} {
  return {
    ...(caFile === undefined ? {} : { ca: contentOf(caFile) }),
    ...(certFile === undefined ? {} : { cert: contentOf(certFile) }),
    ...(keyFile === undefined ? {} : { key: contentOf(keyFile) }),
    ...(keyPassphrase === undefined ? {} : { passphrase: keyPassphrase }),
  }
}

function contentOf(path: string): Buffer {
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
