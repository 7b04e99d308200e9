import type { ConsumerConfig } from 'kafkajs'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { kafkaFaultOf } from '../client/faults.ts'

/** Identifies a consumer. */
interface ConsumerIdentity {
  readonly topic: string
  readonly groupId: string
  /** Last refusal of its client, from `lastRefusalOf`. */
  readonly lastRefusal?: string | undefined
}

/** Returns the error that ends a source after a permanent failure of its consumer. */
export function sourceFailureOf(
  error: unknown,
  { topic, groupId, lastRefusal }: ConsumerIdentity,
): PipelineError {
  const fault = kafkaFaultOf(error, { topic, groupId, lastRefusal })
  return (
    fault ?? new PipelineError('KD_SOURCE_FAILED', messageOf(error), { topic, groupId }, { cause: error })
  )
}

/** Returns the retry options of a consumer: it restarts after five attempts, unless brokers refuse permanently or the source is closed. */
export function consumerRetryOptions(isClosed: () => boolean): NonNullable<ConsumerConfig['retry']> {
  return {
    retries: 5,
    restartOnFailure: (error) => Promise.resolve(!isClosed() && kafkaFaultOf(error)?.retryable !== false),
  }
}
