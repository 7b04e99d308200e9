import type { DeadLetter, DeadLetterReason } from './batch.ts'
import { keyOf, valueOf, type Raw } from './raw.ts'

/** Record `i` as a dead letter; key and value are copied, so that the letter does not keep the whole batch alive. */
export function deadLetterOf(raw: Raw, i: number, reason: DeadLetterReason, message: string): DeadLetter {
  return {
    reason,
    message,
    topic: raw.topic,
    partition: raw.partition,
    offset: raw.offsets[i] as bigint,
    timestampMs: raw.timestampsMs[i] as number,
    key: keyOf(raw, i)?.slice(),
    value: valueOf(raw, i)?.slice(),
    headers: raw.headers?.[i],
  }
}
