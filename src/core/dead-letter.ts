import type { DeadLetter, DeadLetterReason, DeadLetterStage } from './batch.ts'
import { keyOf, originOf, partOf, type Raw } from './raw.ts'

/**
 * Creates the dead letter of record `i`, with its value as a complete message. Key and value are copied, so that the
 * letter does not keep the whole batch in memory.
 */
export function deadLetterOf(raw: Raw, i: number, reason: DeadLetterReason, message: string): DeadLetter {
  return {
    reason,
    // It may quote text of the record that is not well-formed Unicode, which neither tables nor other JSON parsers accept.
    message: message.toWellFormed(),
    topic: raw.topic,
    partition: raw.partition,
    offset: raw.offsets[i] as bigint,
    timestampMs: raw.timestampsMs[i] as number,
    key: keyOf(raw, i)?.slice(),
    value: originOf(raw).message(i)?.slice(),
    headers: raw.headers?.[i],
    ...(raw.parts === undefined ? {} : { part: partOf(raw, i) }),
  }
}

const STAGES: Readonly<Record<DeadLetterReason, DeadLetterStage>> = {
  decode: 'bytes',
  tombstone: 'bytes',
  contract: 'schema',
  rule: 'rules',
  transform: 'transform',
  type: 'types',
  partition: 'partition',
  constraint: 'constraint',
  custom: 'custom',
}

const CLASSES: Readonly<Record<DeadLetterReason, string>> = {
  decode: 'DecodeError',
  contract: 'ContractError',
  rule: 'RuleError',
  transform: 'TransformError',
  type: 'TypeMismatchError',
  tombstone: 'TombstoneError',
  partition: 'PartitionError',
  constraint: 'ConstraintError',
  custom: 'CustomError',
}

/** Returns the processing stage in which records fail for a reason. */
export function deadLetterStageOf(reason: DeadLetterReason): DeadLetterStage {
  return STAGES[reason]
}

/** Returns the error class of a reason, by which dead letters can be grouped. */
export function errorClassOf(reason: DeadLetterReason): string {
  return CLASSES[reason]
}

/** Returns the letters ascending by partition and offset, each with its ordinal among the letters of one message, from 0. */
export function withOrdinals(
  letters: readonly DeadLetter[],
): { readonly letter: DeadLetter; readonly ordinal: number }[] {
  // Stable, so that letters of one message keep their order.
  const sorted = [...letters].sort(
    (a, b) => a.partition - b.partition || (a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0),
  )
  let ordinal = 0
  return sorted.map((letter, index) => {
    const before = sorted[index - 1]
    const isSame = before?.partition === letter.partition && before.offset === letter.offset
    ordinal = isSame ? ordinal + 1 : 0
    return { letter, ordinal }
  })
}
