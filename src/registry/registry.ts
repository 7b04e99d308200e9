import { messageOf, PipelineError } from '../core/errors.ts'
import type { CircuitBreaker } from '../resilience/circuit-breaker.ts'
import { Retries, RETRY, type RetryPatience } from '../resilience/retries.ts'
import { httpGetter, type ClientTls, type HttpAnswer, type HttpGet } from './http.ts'

/** How a schema registry with Confluent's REST API is reached. */
export interface RegistryOptions {
  readonly url: string
  /** Basic authentication, both or neither. */
  readonly username?: string
  readonly password?: string
  /** A bearer token, instead of user and password. */
  readonly token?: string
  readonly tls?: ClientTls
  readonly patience?: Partial<RegistryPatience>
  /** Through which all questions go: they wait while it is open. Without one, nobody waits for a registry that fails. */
  readonly circuit?: CircuitBreaker
}

/** How hard is tried while the registry does not answer. */
export interface RegistryPatience extends RetryPatience {
  /** How long one attempt may take. */
  readonly requestMsMax: number
}

/** A registered schema with everything that it refers to, each before what needs it. */
export interface RegisteredSchema {
  readonly type: 'AVRO' | 'JSON' | 'PROTOBUF'
  readonly text: string
  readonly references: readonly { readonly name: string; readonly text: string }[]
}

/** A schema registry. */
export interface Registry {
  readonly url: string
  /** The schema of an id, `undefined` where the registry has none. @throws KD_REGISTRY_FAILED */
  schema(id: number): Promise<RegisteredSchema | undefined>
  /** The newest schema of a subject, `undefined` where there is none. @throws KD_REGISTRY_FAILED */
  latest(subject: string): Promise<RegisteredSchema | undefined>
}

/** Ten attempts over about a minute. */
const PATIENCE: RegistryPatience = { ...RETRY, attemptsMax: 10, pauseMsMax: 15_000, requestMsMax: 10_000 }
/** Schemas that one schema may refer to, also by way of others. */
const REFERENCES_MAX = 100

/**
 * Codes under which TLS refuses the other side, or is refused by it: no retry mends them. Connections that break for
 * other reasons are tried again.
 */
const REFUSED =
  /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_|INVALID_CA|ERR_TLS_CERT_|ERR_SSL_\w*(?:CERT|UNKNOWN_CA|HANDSHAKE_FAILURE|WRONG_VERSION|BAD_DECRYPT)|ERR_OSSL_)/

/** A client of a schema registry; asks nothing yet, keeps nothing. @throws KD_CONFIG_INVALID where a file of `tls` cannot be read */
export function createRegistry(options: RegistryOptions): Registry {
  return new HttpRegistry(options)
}

/** An answer as the API gives it. */
interface Answer {
  readonly schema: string
  readonly schemaType?: string
  readonly references?: readonly {
    readonly name: string
    readonly subject: string
    readonly version: number
  }[]
}

class HttpRegistry implements Registry {
  readonly url: string
  readonly #get: HttpGet
  readonly #retries: Retries
  /** What answers must not repeat in our errors. */
  readonly #secrets: readonly string[]

  constructor({ url, username, password, token, tls, patience, circuit }: RegistryOptions) {
    const whole = { ...PATIENCE, ...patience }
    this.url = url.replace(/\/+$/, '')
    const secret = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')
    const login =
      token === undefined ? (username === undefined ? undefined : `Basic ${secret}`) : `Bearer ${token}`
    const headers = {
      accept: 'application/vnd.schemaregistry.v1+json, application/json',
      ...(login === undefined ? {} : { authorization: login }),
    }
    this.#get = httpGetter(headers, whole.requestMsMax, tls)
    this.#retries = new Retries(whole, circuit)
    this.#secrets = [password, token, username === undefined ? undefined : secret].filter(
      (each): each is string => each !== undefined && each !== '',
    )
  }

  schema(id: number): Promise<RegisteredSchema | undefined> {
    return this.#resolved(`/schemas/ids/${id}`)
  }

  latest(subject: string): Promise<RegisteredSchema | undefined> {
    return this.#resolved(`/subjects/${encodeURIComponent(subject)}/versions/latest`)
  }

  async #resolved(path: string): Promise<RegisteredSchema | undefined> {
    const answer = await this.#ask(path)
    if (answer === undefined) return undefined
    const found = new Map<string, string>()
    await this.#follow(answer, found)
    const references = [...found].map(([name, text]) => ({ name, text }))
    return { type: typeOf(answer.schemaType), text: answer.schema, references }
  }

  async #follow({ references = [] }: Answer, found: Map<string, string>): Promise<void> {
    for (const { name, subject, version } of references) {
      if (found.has(name)) continue
      if (found.size >= REFERENCES_MAX)
        throw this.#failed(`expected at most ${REFERENCES_MAX} references, got more`)
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`
      const answer = await this.#ask(path)
      if (answer === undefined)
        throw this.#failed(`expected version ${version} of ${subject}, which is referred to, got none`)
      await this.#follow(answer, found)
      found.set(name, answer.schema)
    }
  }

  /** Asks until there is an answer; `undefined` when it is that there is no such thing. */
  #ask(path: string): Promise<Answer | undefined> {
    return this.#retries.run(() => this.#askOnce(path))
  }

  async #askOnce(path: string): Promise<Answer | undefined> {
    let answer: HttpAnswer
    try {
      answer = await this.#get(this.url + path)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? ''
      throw this.#failed(`${path}: ${messageOf(error)}${adviceFor(code)}`, !REFUSED.test(code))
    }
    const { status, body } = answer
    if (status === 404) return undefined
    if (status === 200) return this.#answerOf(path, body)
    const passing = status >= 500 || status === 429 || status === 408
    throw this.#failed(
      `${path}: expected an answer, got status ${status}: ${this.#shown(body)}`,
      passing,
      status,
    )
  }

  #answerOf(path: string, body: string): Answer {
    try {
      const answer = JSON.parse(body) as Answer
      if (typeof answer.schema === 'string') return answer
    } catch {
      // Told below like any other answer that is none.
    }
    throw this.#failed(`${path}: expected a schema, got ${JSON.stringify(this.#shown(body))}`)
  }

  /** The beginning of an answer. */
  #shown(body: string): string {
    return this.#secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), body).slice(0, 200)
  }

  #failed(detail: string, retryable = false, status?: number): PipelineError {
    return new PipelineError('KD_REGISTRY_FAILED', detail, { url: this.url, status }, { retryable })
  }
}

function typeOf(name = 'AVRO'): RegisteredSchema['type'] {
  return name === 'JSON' || name === 'PROTOBUF' ? name : 'AVRO'
}

/** What to do about a failure of TLS, as the end of a sentence. */
function adviceFor(code: string): string {
  if (/^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA)/.test(code))
    return '; name the file with its authority in schemaRegistry.tls.caFile'
  if (/^ERR_SSL_.*(?:CERT|HANDSHAKE_FAILURE|UNKNOWN_CA)/.test(code))
    return '; check schemaRegistry.tls.certFile and keyFile'
  return ''
}
