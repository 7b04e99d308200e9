import { messageOf, PipelineError } from '../core/errors.ts'
import type { CircuitBreaker } from '../resilience/circuit-breaker.ts'
import { Retries, DEFAULT_RETRY_POLICY, type RetryPolicy } from '../resilience/retries.ts'
import type { TlsFiles } from '../core/tls/tls-files.ts'
import { createHttpClient, type HttpClient, type HttpResponse } from './http.ts'

/** Describes how to reach a schema registry with Confluent's REST API. */
export interface SchemaRegistryOptions {
  readonly url: string
  /** User of basic authentication; needs `password`. */
  readonly username?: string
  readonly password?: string
  /** Bearer token, instead of user and password. */
  readonly token?: string
  readonly tls?: TlsFiles
  readonly retryPolicy?: Partial<RegistryRetryPolicy>
  /**
   * The circuit that all requests go through: while it is open, they wait. Without a circuit, requests fail once
   * their retries are exhausted.
   */
  readonly circuit?: CircuitBreaker
}

/** Limits the retries while the registry does not respond. */
export interface RegistryRetryPolicy extends RetryPolicy {
  /** Longest duration of one attempt, in milliseconds. */
  readonly requestMsMax: number
}

/** Holds a registered schema and all schemas it refers to, each before the ones that need it. */
export interface RegisteredSchema {
  readonly type: 'AVRO' | 'JSON' | 'PROTOBUF'
  readonly text: string
  readonly references: readonly { readonly name: string; readonly text: string }[]
}

/** Describes a client of a schema registry. */
export interface SchemaRegistry {
  readonly url: string
  /**
   * Returns the schema of an id, a number or a GUID, or `undefined` when the registry does not have it.
   * @throws KD_REGISTRY_FAILED also when the registry cannot look up GUIDs
   */
  schema(id: number | string): Promise<RegisteredSchema | undefined>
  /**
   * Returns the newest schema of a subject, or `undefined` when the subject has none.
   * @throws KD_REGISTRY_FAILED
   */
  latest(subject: string): Promise<RegisteredSchema | undefined>
}

/** Describes a client that holds connections until it is closed or they have not been used for half a minute. */
interface RegistryClient extends SchemaRegistry {
  close(): void
}

/** Ten attempts over about a minute. */
const REGISTRY_RETRY_POLICY: RegistryRetryPolicy = {
  ...DEFAULT_RETRY_POLICY,
  attemptsMax: 10,
  maxBackoffMs: 15_000,
  requestMsMax: 10_000,
}
/** Schemas that one schema may refer to, directly or indirectly. */
const REFERENCES_MAX = 100

/** Error codes of failed TLS handshakes, which no retry can fix. Other broken connections are retried. */
const TLS_REFUSAL_CODES =
  /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_|INVALID_CA|ERR_TLS_CERT_|ERR_SSL_\w*(?:CERT|UNKNOWN_CA|HANDSHAKE_FAILURE|WRONG_VERSION|BAD_DECRYPT)|ERR_OSSL_)/

/**
 * Returns a client of a schema registry. It sends no request yet and caches nothing.
 * @throws KD_CONFIG_INVALID when a file of `tls` cannot be read
 */
export function createSchemaRegistry(options: SchemaRegistryOptions): RegistryClient {
  return new HttpSchemaRegistry(options)
}

/** Describes a schema response of the REST API. */
interface SchemaResponse {
  readonly schema: string
  readonly schemaType?: string
  readonly references?: readonly {
    readonly name: string
    readonly subject: string
    readonly version: number
  }[]
}

class HttpSchemaRegistry implements RegistryClient {
  readonly url: string
  readonly #client: HttpClient
  readonly #retries: Retries
  /** Secrets that must not appear in errors when a response repeats them. */
  readonly #secrets: readonly string[]

  constructor({ url, username, password, token, tls, retryPolicy, circuit }: SchemaRegistryOptions) {
    const policy = { ...REGISTRY_RETRY_POLICY, ...retryPolicy }
    this.url = url.replace(/\/+$/, '')
    const secret = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')
    const login =
      token === undefined ? (username === undefined ? undefined : `Basic ${secret}`) : `Bearer ${token}`
    const headers = {
      accept: 'application/vnd.schemaregistry.v1+json, application/json',
      ...(login === undefined ? {} : { authorization: login }),
    }
    this.#client = createHttpClient(headers, policy.requestMsMax, tls)
    this.#retries = new Retries(policy, circuit)
    this.#secrets = [password, token, username === undefined ? undefined : secret].filter(
      (each): each is string => each !== undefined && each !== '',
    )
  }

  schema(id: number | string): Promise<RegisteredSchema | undefined> {
    return this.#resolved(typeof id === 'number' ? `/schemas/ids/${id}` : `${GUIDS}${encodeURIComponent(id)}`)
  }

  latest(subject: string): Promise<RegisteredSchema | undefined> {
    return this.#resolved(`/subjects/${encodeURIComponent(subject)}/versions/latest`)
  }

  close(): void {
    this.#client.close()
  }

  async #resolved(path: string): Promise<RegisteredSchema | undefined> {
    const answer = await this.#ask(path)
    if (answer === undefined) return undefined
    const found = new Map<string, string>()
    await this.#follow(answer, found)
    const references = [...found].map(([name, text]) => ({ name, text }))
    return { type: typeOf(answer.schemaType), text: answer.schema, references }
  }

  async #follow({ references = [] }: SchemaResponse, found: Map<string, string>): Promise<void> {
    for (const { name, subject, version } of references) {
      if (found.has(name)) continue
      if (found.size >= REFERENCES_MAX)
        throw this.#failed(`expected at most ${REFERENCES_MAX} references, got more`)
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`
      const answer = await this.#ask(path)
      if (answer === undefined)
        throw this.#failed(`expected version ${version} of ${subject}, which the schema refers to, got none`)
      await this.#follow(answer, found)
      found.set(name, answer.schema)
    }
  }

  /** Retries until there is a response; `undefined` when the registry says 404. */
  #ask(path: string): Promise<SchemaResponse | undefined> {
    return this.#retries.run(() => this.#askOnce(path))
  }

  async #askOnce(path: string): Promise<SchemaResponse | undefined> {
    let answer: HttpResponse
    try {
      answer = await this.#client.get(this.url + path)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? ''
      throw this.#failed(`${path}: ${messageOf(error)}${tlsAdviceFor(code)}`, !TLS_REFUSAL_CODES.test(code))
    }
    const { status, body } = answer
    if (status === 404 && path.startsWith(GUIDS) && !isMissingSchema(body))
      throw this.#failed(
        `${path}: the registry cannot look up schemas by GUID; let producers write numeric ids (HeaderSchemaIdSerializer writes GUIDs)`,
        false,
        status,
      )
    if (status === 404) return undefined
    if (status === 200) return this.#answerOf(path, body)
    const passing = status >= 500 || status === 429 || status === 408
    throw this.#failed(`${path}: expected status 200, got ${status}: ${this.#shown(body)}`, passing, status)
  }

  #answerOf(path: string, body: string): SchemaResponse {
    try {
      const answer = JSON.parse(body) as SchemaResponse
      if (typeof answer.schema === 'string') return answer
    } catch {
      // Reported below like any other response without a schema.
    }
    throw this.#failed(`${path}: expected a schema, got ${JSON.stringify(this.#shown(body))}`)
  }

  /** Returns the beginning of a response, without secrets. */
  #shown(body: string): string {
    return this.#secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), body).slice(0, 200)
  }

  #failed(detail: string, retryable = false, status?: number): PipelineError {
    return new PipelineError('KD_REGISTRY_FAILED', detail, { url: this.url, status }, { retryable })
  }
}

/** Prefix of the path of a schema by its GUID. */
const GUIDS = '/schemas/guids/'

/** Returns true for the answer that a schema is missing; a path that the server does not have gives another one. */
function isMissingSchema(body: string): boolean {
  try {
    const { error_code: code } = JSON.parse(body) as { readonly error_code?: unknown }
    return typeof code === 'number' && code >= 40_400 && code < 40_500
  } catch {
    return false
  }
}

function typeOf(name = 'AVRO'): RegisteredSchema['type'] {
  return name === 'JSON' || name === 'PROTOBUF' ? name : 'AVRO'
}

/** Returns advice on a TLS failure as the end of a sentence. */
function tlsAdviceFor(code: string): string {
  if (/^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA)/.test(code))
    return '; set schemaRegistry.tls.caFile to the file with its certificate authority'
  if (/^ERR_SSL_.*(?:CERT|HANDSHAKE_FAILURE|UNKNOWN_CA)/.test(code))
    return '; check schemaRegistry.tls.certFile and keyFile'
  return ''
}
