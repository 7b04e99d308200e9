import { type ErrorContext, messageOf, PipelineError } from '../../core/errors.ts'
import { isPermanentRefusal, TOPIC_NAME_RULE } from '../wire/error-codes.ts'
import { tlsFaultOf } from './tls-faults.ts'

/** Describes the operation that brokers refused, for the error message and the required grant. */
interface FaultContext {
  readonly brokers?: readonly string[]
  readonly topic?: string | undefined
  readonly groupId?: string | undefined
  readonly transactionalId?: string | undefined
  /** True if the operation writes (and creates) the topic rather than reads it. */
  readonly isWriting?: boolean
  /** The type of the last refusal of a client (`lastRefusalOf`), for errors that lost their type. */
  readonly lastRefusal?: string | undefined
}

/** Maximum depth of causes that is searched. */
const DEPTH_MAX = 8

/**
 * Converts a permanent refusal of the brokers into an error that says what to do: KD_KAFKA_AUTH_FAILED,
 * KD_KAFKA_TLS_FAILED, KD_KAFKA_FORBIDDEN or KD_KAFKA_REFUSED, or the `PipelineError` among its causes; returns `undefined` for other errors.
 * Errors are recognized by names, types and codes. A refusal that may pass is `retryable`.
 */
export function kafkaFaultOf(error: unknown, place: FaultContext = {}): PipelineError | undefined {
  for (const each of chainOf(error)) {
    const fault = faultOf(each, error, place)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Returns whether a connection was closed without a response. */
export function isConnectionClosed(error: unknown): boolean {
  return chainOf(error).some((each) => each.name === 'KafkaJSConnectionClosedError')
}

/** Returns whether brokers answered with one of these error types, such as `MESSAGE_TOO_LARGE`. */
export function hasErrorType(error: unknown, types: readonly string[]): boolean {
  return chainOf(error).some((each) => 'type' in each && types.includes(String(each.type)))
}

/** Names of kafkajs errors for brokers that cannot be reached. */
const UNREACHABLE = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSBrokerNotFound',
  'KafkaJSRequestTimeoutError',
])

/** Returns whether an operation failed only because brokers could not be reached: they are down or restarting. */
export function isUnreachable(error: unknown): boolean {
  return chainOf(error).some(
    (each) =>
      UNREACHABLE.has(each.name) || (each instanceof PipelineError && each.code === 'KD_KAFKA_UNREACHABLE'),
  )
}

function faultOf(each: Error, thrown: unknown, place: FaultContext): PipelineError | undefined {
  if (each instanceof PipelineError) return each
  const lost = each.name === 'KafkaJSGroupCoordinatorNotFound' ? place.lastRefusal : undefined
  const type = lost ?? ('type' in each ? String(each.type) : '')
  const code = 'code' in each ? String(each.code) : ''
  const where = whereOf(place)
  if (each.name === 'KafkaJSSASLAuthenticationError' || type in LOGINS) {
    const remedy = LOGINS[type] ?? 'check user, password and mechanism in kafka.sasl'
    const detail = `expected a successful login, got: ${messageOf(each)}; ${remedy}`
    return new PipelineError('KD_KAFKA_AUTH_FAILED', detail, where, { cause: thrown })
  }
  const grant = GRANTS[type]?.(place)
  if (grant !== undefined) {
    const detail = `expected the right to ${grant}, got: ${type}`
    return new PipelineError('KD_KAFKA_FORBIDDEN', detail, where, { cause: thrown })
  }
  const mayPass = MAY_PASS.has(type)
  if (isPermanentRefusal(type) || mayPass) {
    const detail =
      REFUSED[type]?.(place) ?? `expected the brokers to carry out a request, got: ${each.message}`
    return new PipelineError('KD_KAFKA_REFUSED', `${detail} (${type})`, where, {
      cause: thrown,
      retryable: mayPass,
    })
  }
  const tls = tlsFaultOf(code)
  if (tls === undefined) return undefined
  const detail = `${tls.problem} (${code}); ${tls.remedy}`
  return new PipelineError('KD_KAFKA_TLS_FAILED', detail, where, {
    cause: thrown,
    retryable: tls.isTransient,
  })
}

/** Remedies by the type of a refused login. */
const LOGINS: Readonly<Record<string, string>> = {
  SASL_AUTHENTICATION_FAILED: 'check user, password and mechanism in kafka.sasl',
  UNSUPPORTED_SASL_MECHANISM: 'this listener does not support kafka.sasl.mechanism',
  ILLEGAL_SASL_STATE: 'this listener expects no login: remove kafka.sasl or use another port',
}

/** Refusals that end once more brokers run. */
const MAY_PASS: ReadonlySet<string> = new Set(['INVALID_REPLICATION_FACTOR'])

/** Expectations by the type of a refusal; others quote the message. */
const REFUSED: Readonly<Record<string, (place: FaultContext) => string>> = {
  INVALID_TOPIC_EXCEPTION: ({ topic }) => `expected a topic name of ${TOPIC_NAME_RULE}, got ${quoted(topic)}`,
  POLICY_VIOLATION: ({ topic }) =>
    `expected that the policy of the cluster allows to create topic ${quoted(topic)}; create it yourself as the policy demands`,
  INVALID_REPLICATION_FACTOR: ({ topic }) =>
    `expected as many brokers as topic ${quoted(topic)} gets replicas; start them, lower default.replication.factor, or create the topic yourself`,
}

/** Required grants by the type of the refusal. */
const GRANTS: Readonly<Record<string, (place: FaultContext) => string>> = {
  TOPIC_AUTHORIZATION_FAILED: ({ topic, isWriting }) =>
    isWriting === true
      ? `Describe, Create and Write topic ${quoted(topic)}`
      : `Describe and Read topic ${quoted(topic)}`,
  GROUP_AUTHORIZATION_FAILED: ({ groupId }) => `Describe and Read group ${quoted(groupId)}`,
  CLUSTER_AUTHORIZATION_FAILED: ({ topic }) =>
    `Create topic ${quoted(topic)}, or to Create on the cluster (or create the topic yourself)`,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: ({ transactionalId }) =>
    `Describe and Write transactional id ${quoted(transactionalId)} (a grant on its prefix is enough)`,
}

function quoted(name: string | undefined): string {
  return name === undefined ? '(unknown)' : JSON.stringify(name)
}

function whereOf({ brokers, topic, groupId }: FaultContext): ErrorContext {
  return { brokers, topic, groupId }
}

/** Returns the error, its causes and its aggregated errors. */
function chainOf(thrown: unknown): readonly Error[] {
  const chain: Error[] = []
  const visit = (error: unknown, depth: number): void => {
    if (!(error instanceof Error) || depth > DEPTH_MAX || chain.includes(error)) return
    chain.push(error)
    visit(error.cause, depth + 1)
    if ('originalError' in error) visit(error.originalError, depth + 1)
    if ('errors' in error && Array.isArray(error.errors))
      for (const each of error.errors.slice(0, DEPTH_MAX)) visit(each, depth + 1)
  }
  visit(thrown, 0)
  return chain
}
