import kafkajs from 'kafkajs'
import type { Admin, Kafka, KafkaConfig, logCreator, SASLOptions } from 'kafkajs'
import { messageOf, PipelineError } from '../core/errors.ts'
import { registerCodecs } from './codecs.ts'

/** A pino-like log: fields first, then the message. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** How to reach a Kafka cluster. */
export interface KafkaOptions {
  /** `host:port` of some brokers; the rest is learnt from them. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** `true` for TLS with the system's certificates, or Node's `tls.ConnectionOptions`. */
  readonly ssl?: NonNullable<KafkaConfig['ssl']>
  readonly sasl?: SASLOptions
  /** How long brokers may stay silent at the start before `KD_KAFKA_UNREACHABLE`; default 30,000 ms. */
  readonly reachTimeoutMs?: number
  readonly log?: Log
}

export const REACH_TIMEOUT_MS = 30_000
const CONNECTION_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 30_000
/** Retries of one request inside kafkajs, from 300 ms doubling: about 10 s; the consumer restarts itself after that. */
const RETRIES = 5

/** One kafkajs client; cheap, connects nothing. kafkajs's own log goes to `options.log`, one level lower, since kafkajs rides most of it out. */
export function createKafka(options: KafkaOptions, retries = RETRIES): Kafka {
  registerCodecs()
  return new kafkajs.Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    ...(options.ssl === undefined ? {} : { ssl: options.ssl }),
    ...(options.sasl === undefined ? {} : { sasl: options.sasl }),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries, initialRetryTime: 300, maxRetryTime: 10_000 },
    logLevel: options.log === undefined ? kafkajs.logLevel.NOTHING : kafkajs.logLevel.INFO,
    logCreator: bridge(options.log),
  })
}

/**
 * A connected admin client.
 * An aborted `signal` ends the tries as the time-out does.
 * @throws KD_KAFKA_UNREACHABLE when no broker answered within `reachTimeoutMs`; KD_SOURCE_FAILED when one refused us.
 */
export async function reachAdmin(kafka: Kafka, options: KafkaOptions, signal?: AbortSignal): Promise<Admin> {
  const timeoutMs = options.reachTimeoutMs ?? REACH_TIMEOUT_MS
  const deadline = performance.now() + timeoutMs
  // kafkajs's own retries would take 10 s for each look.
  const single = createKafka(options, 0)
  for (;;) {
    const admin = single.admin()
    try {
      await admin.connect()
      // The admin that works for long has the client's own retries.
      await admin.disconnect()
      const lasting = kafka.admin()
      await lasting.connect()
      return lasting
    } catch (error) {
      await admin.disconnect().catch(() => undefined)
      if (isRefusal(error)) {
        throw new PipelineError(
          'KD_SOURCE_FAILED',
          `expected to be let in, got: ${messageOf(error)}`,
          { brokers: options.brokers },
          { cause: error, retryable: false },
        )
      }
      if (performance.now() >= deadline || signal?.aborted === true) {
        throw new PipelineError(
          'KD_KAFKA_UNREACHABLE',
          `expected an answer within ${timeoutMs} ms, got: ${messageOf(error)}`,
          { brokers: options.brokers },
          { cause: error },
        )
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(500, timeoutMs / 4)))
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && /SASL|UnsupportedVersion/.test(error.name)
}

function bridge(log: Log | undefined): logCreator {
  return () =>
    ({ level, log: { message, ...fields } }) => {
      if (level === kafkajs.logLevel.ERROR) log?.warn({ kafka: fields }, message)
      else if (level === kafkajs.logLevel.WARN) log?.info({ kafka: fields }, message)
      else log?.debug({ kafka: fields }, message)
    }
}
