import { messageOf, PipelineError } from '../core/errors.ts'

/** The error that ends a source whose consumer kafkajs gave up for good. */
export function crashOf(error: Error, { topic, groupId }: { topic: string; groupId: string }): PipelineError {
  return new PipelineError('KD_SOURCE_FAILED', messageOf(error), { topic, groupId }, { cause: error })
}
