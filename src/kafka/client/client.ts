import type { ConnectionOptions } from 'node:tls'
import type { Admin, Kafka, logCreator, logLevel, Mechanism, SASLOptions } from 'kafkajs'
import { type Clock, systemClock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { RepeatLimiter } from '../../resilience/repeat-limiter.ts'
import { registerCodecs } from './codecs.ts'
import { isConnectionClosed, kafkaFaultOf } from './faults.ts'
import { createSocketFactory } from './sockets.ts'
import { tokenMechanism, type TokenLogin } from './token-login.ts'

/** Writes log lines like pino: fields first, then the message. */
export interface Log {
  /** Logs details of single batches. */
  debug(fields: object, message: string): void
  /** Logs changes of state. */
  info(fields: object, message: string): void
  /** Logs problems that the service handles itself. */
  warn(fields: object, message: string): void
  /** Logs problems that need an operator. */
  error(fields: object, message: string): void
}

/** Configures the connection to a Kafka cluster. */
export interface KafkaOptions {
  /** `host:port` of bootstrap brokers. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** `true` for TLS with the system's authorities, or Node's `tls.ConnectionOptions`; a function is called for each connection. */
  readonly ssl?: boolean | ConnectionOptions | (() => ConnectionOptions)
  readonly sasl?: SASLOptions | TokenLogin
  /** Time after which unanswered connection attempts end with `KD_KAFKA_UNREACHABLE`, in milliseconds; default 30,000. */
  readonly reachTimeoutMs?: number
  readonly log?: Log
}

const REACH_TIMEOUT_MS = 30_000
const CONNECTION_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 30_000
/** Retries of one request inside kafkajs, with pauses doubling from 300 ms: about 10 s; then the consumer restarts. */
const RETRIES = 5

/** Number of equal refusals by all brokers before a fault counts that a restarting broker could cause too. */
const ALIKE_MIN = 3

/**
 * Loads kafkajs and creates a client without connecting it. Log lines of kafkajs go to `options.log` at the level `debug`, except
 * errors: warnings of them come at most once a minute. kafkajs recovers from most of the problems, and throws the
 * others.
 */
export async function createKafka(options: KafkaOptions, retries = RETRIES): Promise<Kafka> {
  const { default: kafkajs } = await import('kafkajs')
  registerCodecs(kafkajs.CompressionCodecs)
  const tls = tlsOf(options.ssl)
  const last: LastRefusal = { type: undefined }
  const kafka = new kafkajs.Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    ssl: tls !== undefined,
    socketFactory: createSocketFactory(tls),
    ...(options.sasl === undefined ? {} : { sasl: mechanismOf(options.sasl) }),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries, initialRetryTime: 300, maxRetryTime: 10_000 },
    logLevel: options.log === undefined ? kafkajs.logLevel.ERROR : kafkajs.logLevel.INFO,
    logCreator: createLogBridge(options.log, last, kafkajs.logLevel.ERROR),
  })
  LAST_REFUSALS.set(kafka, last)
  return kafka
}

/** Returns the type of the last refusal that kafkajs only logged; its error says just that it found no coordinator. */
export function lastRefusalOf(kafka: Kafka): string | undefined {
  return LAST_REFUSALS.get(kafka)?.type
}

/**
 * Connects an admin client, trying the brokers in turn. Permanent refusals by all brokers end the attempts immediately; an
 * aborted `signal` ends them as the timeout does.
 * @throws KD_KAFKA_UNREACHABLE if no broker answered within `reachTimeoutMs`; KD_KAFKA_AUTH_FAILED and
 * KD_KAFKA_TLS_FAILED if they refuse the client; KD_SOURCE_FAILED if a broker is too old
 */
export async function connectAdmin(
  kafka: Kafka,
  options: KafkaOptions,
  signal?: AbortSignal,
  clock: Clock = systemClock,
): Promise<Admin> {
  const timeoutMs = options.reachTimeoutMs ?? REACH_TIMEOUT_MS
  const deadlineMs = clock.now() + timeoutMs
  const refusals = new Refusals(options)
  for (let attempt = 0; ; attempt++) {
    const broker = options.brokers[attempt % options.brokers.length] as string
    try {
      await probe({ ...options, brokers: [broker] })
      return await lastingAdmin(kafka)
    } catch (error) {
      const refusal = refusals.add(broker, error)
      if (refusal !== undefined) throw refusal
      if (clock.now() >= deadlineMs || signal?.aborted === true) {
        const fault = kafkaFaultOf(error, options)
        if (fault?.code === 'KD_KAFKA_TLS_FAILED') throw fault
        const detail = `expected a response within ${timeoutMs} ms, got: ${messageOf(error)}`
        const place = { brokers: options.brokers }
        throw new PipelineError('KD_KAFKA_UNREACHABLE', detail, place, { cause: error })
      }
      await clock.sleep(Math.min(500, timeoutMs / 4), signal).catch(() => undefined)
    }
  }
}

/** Connects, logs in and sends a request that needs a login, since a listener that requires one hangs up only then. */
async function probe(options: KafkaOptions): Promise<void> {
  // The retries of kafkajs would take 10 s per attempt.
  const admin = (await createKafka(options, 0)).admin()
  try {
    await admin.connect()
    await admin.describeCluster()
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

/** Connects the returned admin client, which has the retries of `kafka`. */
async function lastingAdmin(kafka: Kafka): Promise<Admin> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    return admin
  } catch (error) {
    await admin.disconnect().catch(() => undefined)
    throw error
  }
}

/** Collects the last refusal of each broker. */
class Refusals {
  readonly #options: KafkaOptions
  readonly #byBroker = new Map<string, { readonly fault: PipelineError; readonly times: number }>()

  constructor(options: KafkaOptions) {
    this.#options = options
  }

  /** Adds the error of a broker; returns the error to give up with once every broker has refused permanently. */
  add(broker: string, error: unknown): PipelineError | undefined {
    const fault = this.#faultOf(error)
    if (fault === undefined) {
      this.#byBroker.delete(broker)
      return undefined
    }
    this.#byBroker.set(broker, { fault, times: (this.#byBroker.get(broker)?.times ?? 0) + 1 })
    const isFinal = this.#options.brokers.every((each) => {
      const refusal = this.#byBroker.get(each)
      return refusal !== undefined && (!refusal.fault.retryable || refusal.times >= ALIKE_MIN)
    })
    return isFinal ? fault : undefined
  }

  #faultOf(error: unknown): PipelineError | undefined {
    const place = { brokers: this.#options.brokers }
    const fault = kafkaFaultOf(error, place)
    // A token endpoint that does not answer is tried for the whole time.
    if (fault !== undefined) return fault.code === 'KD_KAFKA_UNREACHABLE' ? undefined : fault
    if (isTooOld(error)) {
      const detail = `expected a broker version that kafkajs supports, got: ${messageOf(error)}`
      return new PipelineError('KD_SOURCE_FAILED', detail, place, { cause: error, retryable: false })
    }
    if (this.#options.sasl !== undefined || !isConnectionClosed(error)) return undefined
    const detail =
      'the broker closes the connection without a response, as a listener that requires a login does; set kafka.sasl, or check the port'
    return new PipelineError('KD_KAFKA_AUTH_FAILED', detail, place, { cause: error, retryable: true })
  }
}

function isTooOld(error: unknown): boolean {
  return error instanceof Error && /UnsupportedVersion/.test(error.name)
}

function tlsOf(ssl: KafkaOptions['ssl']): (() => ConnectionOptions) | undefined {
  if (ssl === undefined || ssl === false) return undefined
  if (typeof ssl === 'function') return ssl
  return () => (ssl === true ? {} : ssl)
}

/** Returns a copy, since kafkajs modifies it. */
function mechanismOf(login: SASLOptions | TokenLogin): SASLOptions | Mechanism {
  return 'token' in login ? tokenMechanism(login) : { ...login }
}

interface LastRefusal {
  /** Error type of the protocol, such as `GROUP_AUTHORIZATION_FAILED`. */
  type: string | undefined
}

const LAST_REFUSALS = new WeakMap<Kafka, LastRefusal>()

/** Error types by the messages that kafkajs logs, but does not throw, while it looks for a coordinator. */
const REFUSALS: Readonly<Record<string, string>> = {
  'Not authorized to access group: Group authorization failed': 'GROUP_AUTHORIZATION_FAILED',
  'Transactional Id authorization failed': 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
}

/** The limiter of each log, which many clients share: one is created for each attempt to connect. */
const LIMITERS = new WeakMap<Log, RepeatLimiter>()

function createLogBridge(log: Log | undefined, last: LastRefusal, errorLevel: logLevel): logCreator {
  const limiter = (log && LIMITERS.get(log)) ?? new RepeatLimiter()
  if (log !== undefined) LIMITERS.set(log, limiter)
  return () =>
    ({ level, log: { message, ...fields } }) => {
      const error: unknown = fields['error']
      if (typeof error === 'string') last.type = REFUSALS[error] ?? last.type
      const occurrences = level === errorLevel ? limiter.occurrencesIfDue('error') : undefined
      if (occurrences !== undefined) log?.warn({ kafka: fields, occurrences }, message)
      else log?.debug({ kafka: fields }, message)
    }
}
