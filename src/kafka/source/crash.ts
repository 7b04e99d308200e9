import type { ConsumerConfig } from 'kafkajs'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { kafkaFault } from '../client/faults.ts'

/** Which consumer it is. */
interface Consuming {
  readonly topic: string
  readonly groupId: string
  /** Of its client, by `refusalHeard`. */
  readonly heard?: string | undefined
}

/** The error that ends a source whose consumer kafkajs gave up for good, or should. */
export function crashOf(error: unknown, { topic, groupId, heard }: Consuming): PipelineError {
  const fault = kafkaFault(error, { topic, groupId, heard })
  return (
    fault ?? new PipelineError('KD_SOURCE_FAILED', messageOf(error), { topic, groupId }, { cause: error })
  )
}

/** How kafkajs tries again: it starts anew after five attempts, unless brokers refuse us for good or the source is closed. */
export function retriesOf(isClosed: () => boolean): NonNullable<ConsumerConfig['retry']> {
  return {
    retries: 5,
    restartOnFailure: (error) => Promise.resolve(!isClosed() && kafkaFault(error)?.retryable !== false),
  }
}
