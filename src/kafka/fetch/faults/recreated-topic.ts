import { PipelineError } from '../../../core/errors.ts'

/** Returns a topic id of 32 hex digits as Kafka's tools show it: 22 characters of base64url. */
export function textOfTopicId(topicId: string): string {
  return Buffer.from(topicId, 'hex').toString('base64url')
}

/** Returns the error of a topic that was deleted and created again, KD_OFFSETS_VANISHED, with what can be done. */
export function recreatedTopicError(
  topic: string,
  expected: string,
  got: string,
  place: { readonly partition?: number; readonly offset?: bigint } = {},
): PipelineError {
  const detail = `expected the topic with the id ${expected}, got the id ${got}: the topic was deleted and created again, so its offsets count other records. To read the new topic by startFrom, set another appId; if it has the same records at the same offsets, as a mirrored or moved topic has, set acceptTopicId to true for one start`
  return new PipelineError('KD_OFFSETS_VANISHED', detail, { topic, ...place })
}
