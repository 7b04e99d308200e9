import { type ErrorContext, messageOf, PipelineError } from '../../core/errors.ts'
import { tlsFault } from './tls-faults.ts'

/** What was being done when brokers refused it: named in the error, and what to grant follows from it. */
export interface FaultPlace {
  readonly brokers?: readonly string[]
  readonly topic?: string | undefined
  readonly groupId?: string | undefined
  readonly transactionalId?: string | undefined
  /** Whether the topic was to be written (and created) rather than read. */
  readonly isWriting?: boolean
  /** The type of what a client heard last, for errors that have lost theirs (`refusalHeard`). */
  readonly heard?: string | undefined
}

/** Causes of causes: deeper chains are not ours. */
const DEPTH_MAX = 8

/**
 * What brokers refuse for good, as an error that says what to do: KD_KAFKA_AUTH_FAILED, KD_KAFKA_TLS_FAILED or
 * KD_KAFKA_FORBIDDEN, or the error of ours that lies beneath; `undefined` where the error is of another kind. Told by names,
 * types and codes. One that may pass by itself after all is `retryable`.
 */
export function kafkaFault(error: unknown, place: FaultPlace = {}): PipelineError | undefined {
  for (const each of chainOf(error)) {
    const fault = faultOf(each, error, place)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Whether brokers, or something between, hung up without an answer. */
export function isHungUp(error: unknown): boolean {
  return chainOf(error).some((each) => each.name === 'KafkaJSConnectionClosedError')
}

/** Whether brokers answered with one of these types of errors, such as `MESSAGE_TOO_LARGE`. */
export function isOfType(error: unknown, types: readonly string[]): boolean {
  return chainOf(error).some((each) => 'type' in each && types.includes(String(each.type)))
}

/** How kafkajs names a broker that cannot be reached, or has gone. */
const UNREACHABLE = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSBrokerNotFound',
  'KafkaJSRequestTimeoutError',
])

/** Whether it failed for no more than that brokers could not be reached: they are down, or begin again. */
export function isUnreachable(error: unknown): boolean {
  return chainOf(error).some(
    (each) =>
      UNREACHABLE.has(each.name) || (each instanceof PipelineError && each.code === 'KD_KAFKA_UNREACHABLE'),
  )
}

function faultOf(each: Error, thrown: unknown, place: FaultPlace): PipelineError | undefined {
  if (each instanceof PipelineError) return each
  const lost = each.name === 'KafkaJSGroupCoordinatorNotFound' ? place.heard : undefined
  const type = lost ?? ('type' in each ? String(each.type) : '')
  const code = 'code' in each ? String(each.code) : ''
  const where = whereOf(place)
  if (each.name === 'KafkaJSSASLAuthenticationError' || type in LOGINS) {
    const why = LOGINS[type] ?? 'check the user, its password and the mechanism below kafka.sasl'
    const detail = `expected to be let in, got: ${messageOf(each)}; ${why}`
    return new PipelineError('KD_KAFKA_AUTH_FAILED', detail, where, { cause: thrown })
  }
  const grant = GRANTS[type]?.(place)
  if (grant !== undefined) {
    const detail = `expected the right to ${grant}, got: ${type}`
    return new PipelineError('KD_KAFKA_FORBIDDEN', detail, where, { cause: thrown })
  }
  const tls = tlsFault(code)
  if (tls === undefined) return undefined
  const detail = `${tls.what} (${code}); ${tls.todo}`
  return new PipelineError('KD_KAFKA_TLS_FAILED', detail, where, { cause: thrown, retryable: tls.mayPass })
}

/** What the types of a refused login mean. */
const LOGINS: Readonly<Record<string, string>> = {
  SASL_AUTHENTICATION_FAILED: 'check the user, its password and the mechanism below kafka.sasl',
  UNSUPPORTED_SASL_MECHANISM: 'this listener does not take kafka.sasl.mechanism',
  ILLEGAL_SASL_STATE: 'this listener expects no login: leave kafka.sasl out or ask another port',
}

/** What would have to be granted, by the type of the refusal. */
const GRANTS: Readonly<Record<string, (place: FaultPlace) => string>> = {
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

function whereOf({ brokers, topic, groupId }: FaultPlace): ErrorContext {
  return { brokers, topic, groupId }
}

/** The error, its causes and the errors that it collects. */
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
