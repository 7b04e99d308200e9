import { messageOf, PipelineError } from '../core/errors.ts'
import { missingCodec } from './codecs.ts'

/** The error that ends a source whose consumer kafkajs gave up for good. */
export function crashOf(error: Error, { topic, groupId }: { topic: string; groupId: string }): PipelineError {
  const codec = missingCodec(error.message)
  if (codec !== undefined) {
    return new PipelineError(
      'KD_SOURCE_FAILED',
      `expected uncompressed or gzip record batches, got ${codec}, which has no codec registered`,
      { topic, codec },
      { cause: error, retryable: false },
    )
  }
  return new PipelineError('KD_SOURCE_FAILED', messageOf(error), { topic, groupId }, { cause: error })
}
