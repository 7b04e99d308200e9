import type { Socket } from 'node:net'
import { type Clock, systemClock } from '../../../core/clock.ts'
import { messageOf, PipelineError } from '../../../core/errors.ts'
import type { ApiName, RequestBody, ResponseBody } from '../apis.ts'
import type { BrokerConnection, RequestOptions } from '../broker.ts'
import { errorNameOf } from '../error-codes.ts'
import { logIn, type SaslLogin, type SaslTransport } from '../sasl/login.ts'
import { RequestChannel } from './request-channel.ts'
import { type CommonVersions, intersectVersions, requestApiVersions } from './negotiate.ts'
import {
  type BrokerAddress,
  CONNECT_TIMEOUT_MS,
  REQUESTS_IN_FLIGHT_MAX,
  RESPONSE_BYTES_MAX,
  RESPONSE_TIMEOUT_MS,
  SILENCE_MS,
  type WireOptions,
} from './options.ts'

/** Extends a connection with the state that its pool needs. */
export interface PooledConnection extends BrokerConnection {
  /** True while no request is queued or in flight. */
  readonly isIdle: boolean
  /** Time of the last request or response, in milliseconds of the clock. */
  readonly lastUsedMs: number
  /** Address of the broker as `host:port`. */
  readonly address: string
}

const SOFTWARE_NAME = 'kafka-delta'
/**
 * Receive buffer that all sockets share; bytes are copied out before the next socket reads. A larger buffer needs fewer
 * calls: 512 KiB cost half the CPU time of the 64 KiB chunks that Node allocates by default.
 */
const RECEIVE_BUFFER = Buffer.allocUnsafeSlow(512 * 1024)
/** The rest of a response is read into its own buffer from this size on. */
const DIRECT_BYTES_MIN = 64 * 1024
/** Fraction of a session's lifetime after which it is renewed, plus a random spread per connection (KIP-368). */
const RENEW_FROM = 0.85
const RENEW_SPREAD = 0.1

/**
 * Connects to a broker, negotiates versions and logs in.
 * @throws KD_KAFKA_UNREACHABLE if the broker does not respond within `connectTimeoutMs`; KD_KAFKA_TLS_FAILED,
 * KD_KAFKA_AUTH_FAILED
 */
export async function connectBroker(address: BrokerAddress, options: WireOptions): Promise<PooledConnection> {
  const connection = new LiveConnection(address, options)
  const sinceMs = (options.clock ?? systemClock).now()
  try {
    await connection.open()
    return connection
  } catch (error) {
    if (isUnanswered(error)) options.answers?.unanswered(sinceMs, error)
    await connection.close()
    throw error
  }
}

class LiveConnection implements PooledConnection {
  readonly nodeId: number
  readonly address: string
  readonly #broker: BrokerAddress
  readonly #options: WireOptions
  readonly #clock: Clock
  readonly #stepTimeoutMs: number
  #channel: RequestChannel | undefined
  #versions: CommonVersions = new Map()
  #isReady = false
  /** Time at which the session is renewed; infinite if it does not expire. */
  #renewAtMs = Infinity
  #renewing: Promise<void> | undefined
  #loginResponses = 0
  #target: Buffer = RECEIVE_BUFFER

  constructor(address: BrokerAddress, options: WireOptions) {
    this.nodeId = address.nodeId ?? -1
    this.address = `${address.host}:${address.port}`
    this.#broker = address
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#stepTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS
  }

  get isOpen(): boolean {
    return this.#isReady && this.#channel?.isOpen === true
  }

  get isIdle(): boolean {
    return this.#channel?.isIdle ?? true
  }

  get lastUsedMs(): number {
    return this.#channel?.lastUsedMs ?? 0
  }

  versionOf(api: ApiName): number | undefined {
    return this.#versions.get(api)?.[1]
  }

  async open(): Promise<void> {
    const socket = await this.#connect()
    socket.on('data', (chunk: Buffer) => {
      channel.receive(chunk, false)
    })
    const channel = new RequestChannel(socket, this.address, {
      clientId: this.#options.clientId,
      requestTimeoutMs: this.#options.requestTimeoutMs ?? RESPONSE_TIMEOUT_MS,
      responseBytesMax: this.#options.responseBytesMax ?? RESPONSE_BYTES_MAX,
      inFlightMax: this.#options.inFlightMax ?? REQUESTS_IN_FLIGHT_MAX,
      clock: this.#clock,
      onResponse: () => this.#options.answers?.answered(),
      onSilence: (sinceMs, error) => this.#options.answers?.unanswered(sinceMs, error),
      explain: (error) => this.#faultOf(error),
    })
    this.#channel = channel
    socket.on('error', (error) => {
      channel.close(this.#faultOf(error))
    })
    socket.on('close', () => {
      channel.close(this.#connectionClosed(channel))
    })
    await this.#negotiate(channel)
    await this.#logIn(channel, this.#options.login)
    this.#loginResponses = channel.responseCount
    this.#isReady = true
  }

  async request<A extends ApiName>(
    api: A,
    body: RequestBody<A>,
    options: RequestOptions = {},
  ): Promise<ResponseBody<A>> {
    const channel = this.#channel
    if (channel === undefined || !this.#isReady) throw this.#unreachable('the connection is not open')
    const version = this.#versionFor(api, options.versionMax)
    await this.#renewIfDue(channel)
    const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs ?? RESPONSE_TIMEOUT_MS
    const sinceMs = this.#clock.now()
    const waitMs = allowedWaitMs(api, body)
    try {
      return await channel.request(api, version, body, {
        timeoutMs: timeoutMs + waitMs,
        ...(WAITS_FOR_MEMBERS.has(api) ? {} : { silenceMs: SILENCE_MS + waitMs }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      })
    } catch (error) {
      if (isUnanswered(error)) this.#options.answers?.unanswered(sinceMs, error)
      throw error
    }
  }

  close(): Promise<void> {
    this.#isReady = false
    this.#channel?.close()
    return Promise.resolve()
  }

  async #connect(): Promise<Socket> {
    const { host, port } = this.#broker
    const waiting = new AbortController()
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const onConnect = (): void => {
          resolve(socket)
        }
        const onread = {
          buffer: () => this.#nextBuffer(),
          callback: (bytes: number) => {
            this.#receive(bytes)
            return true
          },
        }
        const socket = this.#options.openSocket({ host, port, onConnect, onread })
        socket.setNoDelay(true)
        // These listeners stay: an abandoned socket may still emit an error, which must not crash the process.
        socket.on('error', (error) => {
          reject(this.#faultOf(error))
        })
        socket.on('close', () => {
          reject(this.#unreachable('the connection was closed before it was established'))
        })
        const sinceMs = this.#clock.now()
        this.#clock.sleep(SILENCE_MS, waiting.signal).then(
          () =>
            this.#options.answers?.unanswered(
              sinceMs,
              this.#unreachable(`no connection within ${SILENCE_MS} ms`),
            ),
          () => undefined,
        )
        this.#clock.sleep(this.#stepTimeoutMs, waiting.signal).then(
          () => {
            reject(this.#unreachable(`no connection within ${this.#stepTimeoutMs} ms`))
            socket.destroy()
          },
          () => undefined,
        )
      })
    } catch (error) {
      throw this.#faultOf(error as Error)
    } finally {
      waiting.abort()
    }
  }

  /**
   * Returns the memory that the socket reads into next: the rest of a large response, which saves copying it, otherwise the
   * buffer that all connections share.
   */
  #nextBuffer(): Buffer {
    const unfilled = this.#channel?.unfilled
    this.#target = unfilled !== undefined && unfilled.length >= DIRECT_BYTES_MIN ? unfilled : RECEIVE_BUFFER
    return this.#target
  }

  #receive(bytes: number): void {
    if (this.#target === RECEIVE_BUFFER) this.#channel?.receive(RECEIVE_BUFFER.subarray(0, bytes), true)
    else this.#channel?.receiveUnfilled(bytes)
  }

  async #negotiate(channel: RequestChannel): Promise<void> {
    const { nodeId = -1, clusterId = null } = this.#broker
    const response = await requestApiVersions((version, read) =>
      channel.request(
        'ApiVersions',
        version,
        {
          clientSoftwareName: SOFTWARE_NAME,
          clientSoftwareVersion: this.#options.softwareVersion ?? '0',
          ...(clusterId === null || nodeId < 0 ? {} : { clusterId, nodeId }),
        },
        { timeoutMs: this.#stepTimeoutMs, silenceMs: SILENCE_MS, read },
      ),
    )
    if (response.errorCode !== 0) throw this.#unreachable(`ApiVersions: ${errorNameOf(response.errorCode)}`)
    this.#versions = intersectVersions(response)
  }

  async #logIn(channel: RequestChannel, login: SaslLogin | undefined): Promise<void> {
    const { random = Math.random } = this.#options
    if (login === undefined) return
    const beganAtMs = this.#clock.now()
    const lifetimeMs = await logIn(login, this.#saslTransport(channel))
    const part = RENEW_FROM + RENEW_SPREAD * random()
    this.#renewAtMs = lifetimeMs === undefined ? Infinity : beganAtMs + lifetimeMs * part
  }

  #saslTransport(channel: RequestChannel): SaslTransport {
    const options = { timeoutMs: this.#stepTimeoutMs, silenceMs: SILENCE_MS, isUrgent: true }
    return {
      address: this.address,
      handshake: (mechanism) =>
        channel.request('SaslHandshake', this.#versionFor('SaslHandshake'), { mechanism }, options),
      authenticate: (authBytes) =>
        channel.request('SaslAuthenticate', this.#versionFor('SaslAuthenticate'), { authBytes }, options),
    }
  }

  /** Renews the session if it is due, on the same connection and with no other request in flight (KIP-368). */
  #renewIfDue(channel: RequestChannel): Promise<void> | undefined {
    if (this.#renewing !== undefined) return this.#renewing
    if (this.#clock.now() < this.#renewAtMs) return undefined
    this.#renewing = this.#renew(channel).finally(() => (this.#renewing = undefined))
    return this.#renewing
  }

  async #renew(channel: RequestChannel): Promise<void> {
    const { login } = this.#options
    try {
      // The token is fetched before the channel is held, so that this delays no request.
      const token = login !== undefined && 'token' in login ? await login.token() : undefined
      await channel.hold()
      await this.#logIn(channel, token === undefined ? login : { token: () => Promise.resolve(token) })
      channel.release()
    } catch (error) {
      channel.close(error as Error)
      throw error
    }
  }

  #versionFor(api: ApiName, versionMax = Infinity): number {
    const [oldest, newest] = this.#versions.get(api) ?? [Infinity, -1]
    const version = Math.min(newest, versionMax)
    if (version < oldest) {
      const limit = versionMax === Infinity ? '' : ` up to ${versionMax}`
      const detail = `expected a version of ${api}${limit} that client and broker support, got none`
      throw new PipelineError('KD_SOURCE_FAILED', detail, { broker: this.address }, { retryable: false })
    }
    return version
  }

  #faultOf(error: Error): Error {
    if (error instanceof PipelineError) return error
    const code = 'code' in error ? String(error.code) : ''
    const fault = this.#options.explainFault?.(code)
    if (fault === undefined) return this.#unreachable(messageOf(error), error)
    const detail = `${fault.problem} (${code}); ${fault.remedy}`
    const context = { broker: this.address }
    return new PipelineError('KD_KAFKA_TLS_FAILED', detail, context, {
      cause: error,
      retryable: fault.isTransient,
    })
  }

  #connectionClosed(channel: RequestChannel): PipelineError {
    const isLoginMissing =
      this.#options.login === undefined && channel.responseCount <= Math.max(1, this.#loginResponses)
    const hint = isLoginMissing
      ? '; listeners that require a login do this: set kafka.sasl or check the port'
      : ''
    return this.#unreachable(`the broker closed the connection${hint}`)
  }

  #unreachable(what: string, cause?: unknown): PipelineError {
    const detail = `expected a response, got: ${what}`
    return new PipelineError('KD_KAFKA_UNREACHABLE', detail, { broker: this.address }, { cause })
  }
}

/** Requests that brokers answer only once the other members of the group, or its leader, have sent theirs. */
const WAITS_FOR_MEMBERS: ReadonlySet<ApiName> = new Set(['JoinGroup', 'SyncGroup'])

/** Returns whether an error means that a broker did not answer. */
function isUnanswered(error: unknown): error is PipelineError {
  return error instanceof PipelineError && error.code === 'KD_KAFKA_UNREACHABLE'
}

/** Returns the time in milliseconds that a request allows the broker to wait before it responds. */
function allowedWaitMs<A extends ApiName>(api: A, body: RequestBody<A>): number {
  const { maxWaitMs, rebalanceTimeoutMs, sessionTimeoutMs } = body as {
    readonly maxWaitMs?: number
    readonly rebalanceTimeoutMs?: number
    readonly sessionTimeoutMs?: number
  }
  if (api === 'Fetch') return maxWaitMs ?? 0
  return api === 'JoinGroup' ? Math.max(rebalanceTimeoutMs ?? -1, sessionTimeoutMs ?? 0) : 0
}
