import type { ConnectionOptions } from 'node:tls'
import kafkajs from 'kafkajs'
import type { Admin, Kafka, logCreator, Mechanism, SASLOptions } from 'kafkajs'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { registerCodecs } from './codecs.ts'
import { isHungUp, kafkaFault } from './faults.ts'
import { socketFactory } from './sockets.ts'
import { tokenMechanism, type TokenLogin } from './token-login.ts'

/** A pino-like log: fields first, then the message. */
export interface Log {
  /** What helps to follow one batch. */
  debug(fields: object, message: string): void
  /** What changes how things stand. */
  info(fields: object, message: string): void
  /** What went wrong and was mended. */
  warn(fields: object, message: string): void
  /** What somebody has to look at. */
  error(fields: object, message: string): void
}

/** How to reach a Kafka cluster. */
export interface KafkaOptions {
  /** `host:port` of some brokers; the rest is learnt from them. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** `true` for TLS with the system's certificates, or Node's `tls.ConnectionOptions`; a function is asked for each connection. */
  readonly ssl?: boolean | ConnectionOptions | (() => ConnectionOptions)
  readonly sasl?: SASLOptions | TokenLogin
  /** How long brokers may stay silent at the start before `KD_KAFKA_UNREACHABLE`; default 30,000 ms. */
  readonly reachTimeoutMs?: number
  readonly log?: Log
}

export const REACH_TIMEOUT_MS = 30_000
const CONNECTION_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 30_000
/** Retries of one request inside kafkajs, from 300 ms doubling: about 10 s; the consumer restarts itself after that. */
const RETRIES = 5

/** How often all brokers must fail alike before we believe what a broker that restarts looks like too. */
const ALIKE_MIN = 3

/** One kafkajs client; cheap, connects nothing. kafkajs's own log goes to `options.log`, one level lower, since kafkajs rides most of it out. */
export function createKafka(options: KafkaOptions, retries = RETRIES): Kafka {
  registerCodecs()
  const tls = tlsOf(options.ssl)
  const heard: Heard = { refusal: undefined }
  const kafka = new kafkajs.Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    ssl: tls !== undefined,
    socketFactory: socketFactory(tls),
    ...(options.sasl === undefined ? {} : { sasl: mechanismOf(options.sasl) }),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries, initialRetryTime: 300, maxRetryTime: 10_000 },
    logLevel: options.log === undefined ? kafkajs.logLevel.ERROR : kafkajs.logLevel.INFO,
    logCreator: bridge(options.log, heard),
  })
  HEARD.set(kafka, heard)
  return kafka
}

/** The type of the last refusal that kafkajs kept to itself; it says only that it found no coordinator. */
export function refusalHeard(kafka: Kafka): string | undefined {
  return HEARD.get(kafka)?.refusal
}

/**
 * A connected admin client of a cluster that answers. The brokers are asked in turn; what each of them refuses for good
 * ends the tries at once, an aborted `signal` ends them as the time-out does.
 * @throws KD_KAFKA_UNREACHABLE when no broker answered within `reachTimeoutMs`; KD_KAFKA_AUTH_FAILED and
 * KD_KAFKA_TLS_FAILED when they refuse us; KD_SOURCE_FAILED when a broker is too old.
 */
export async function reachAdmin(kafka: Kafka, options: KafkaOptions, signal?: AbortSignal): Promise<Admin> {
  const timeoutMs = options.reachTimeoutMs ?? REACH_TIMEOUT_MS
  const deadline = performance.now() + timeoutMs
  const refusals = new Refusals(options)
  for (let attempt = 0; ; attempt++) {
    const broker = options.brokers[attempt % options.brokers.length] as string
    try {
      await probe({ ...options, brokers: [broker] })
      return await lastingAdmin(kafka)
    } catch (error) {
      const refused = refusals.add(broker, error)
      if (refused !== undefined) throw refused
      if (performance.now() >= deadline || signal?.aborted === true) {
        const fault = kafkaFault(error, options)
        if (fault?.code === 'KD_KAFKA_TLS_FAILED') throw fault
        const detail = `expected an answer within ${timeoutMs} ms, got: ${messageOf(error)}`
        const place = { brokers: options.brokers }
        throw new PipelineError('KD_KAFKA_UNREACHABLE', detail, place, { cause: error })
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(500, timeoutMs / 4)))
    }
  }
}

/** Connects and logs in once; asks something that needs a login, since a listener that wants one hangs up only then. */
async function probe(options: KafkaOptions): Promise<void> {
  // kafkajs's own retries would take 10 s for each look.
  const admin = createKafka(options, 0).admin()
  try {
    await admin.connect()
    await admin.describeCluster()
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

/** The admin that works for long has the client's own retries. */
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

/** What each broker said last. */
class Refusals {
  readonly #options: KafkaOptions
  readonly #byBroker = new Map<string, { readonly fault: PipelineError; readonly times: number }>()

  constructor(options: KafkaOptions) {
    this.#options = options
  }

  /** The error to give up with, once every broker has refused us and none of it will pass by itself. */
  add(broker: string, error: unknown): PipelineError | undefined {
    const fault = this.#faultOf(error)
    if (fault === undefined) {
      this.#byBroker.delete(broker)
      return undefined
    }
    this.#byBroker.set(broker, { fault, times: (this.#byBroker.get(broker)?.times ?? 0) + 1 })
    const isFinal = this.#options.brokers.every((each) => {
      const said = this.#byBroker.get(each)
      return said !== undefined && (!said.fault.retryable || said.times >= ALIKE_MIN)
    })
    return isFinal ? fault : undefined
  }

  #faultOf(error: unknown): PipelineError | undefined {
    const place = { brokers: this.#options.brokers }
    const fault = kafkaFault(error, place)
    // A token endpoint that does not answer is given the whole time.
    if (fault !== undefined) return fault.code === 'KD_KAFKA_UNREACHABLE' ? undefined : fault
    if (isTooOld(error)) {
      const detail = `expected a broker that kafkajs can talk to, got: ${messageOf(error)}`
      return new PipelineError('KD_SOURCE_FAILED', detail, place, { cause: error, retryable: false })
    }
    if (this.#options.sasl !== undefined || !isHungUp(error)) return undefined
    const detail =
      'the broker hangs up without an answer: a listener that wants a login does so; set kafka.sasl, or check the port'
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

/** A copy: kafkajs writes into it. */
function mechanismOf(login: SASLOptions | TokenLogin): SASLOptions | Mechanism {
  return 'token' in login ? tokenMechanism(login) : { ...login }
}

interface Heard {
  refusal: string | undefined
}

const HEARD = new WeakMap<Kafka, Heard>()

/** How kafkajs words what it throws away while it looks for a coordinator; its log is the only place that has it. */
const REFUSALS: Readonly<Record<string, string>> = {
  'Not authorized to access group: Group authorization failed': 'GROUP_AUTHORIZATION_FAILED',
  'Transactional Id authorization failed': 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
}

function bridge(log: Log | undefined, heard: Heard): logCreator {
  return () =>
    ({ level, log: { message, ...fields } }) => {
      const error: unknown = fields['error']
      if (typeof error === 'string') heard.refusal = REFUSALS[error] ?? heard.refusal
      if (level === kafkajs.logLevel.ERROR) log?.warn({ kafka: fields }, message)
      else if (level === kafkajs.logLevel.WARN) log?.info({ kafka: fields }, message)
      else log?.debug({ kafka: fields }, message)
    }
}
