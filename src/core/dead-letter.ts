import type { DeadLetter, DeadLetterReason, DeadLetterStage } from './batch.ts'
import { keyOf, originOf, partOf, type Raw } from './raw.ts'

/**
 * Record `i` as a dead letter, with its value as a message of its own. Key and value are copied, so that the letter does
 * not keep the whole batch alive.
 */
export function deadLetterOf(raw: Raw, i: number, reason: DeadLetterReason, message: string): DeadLetter {
  return {
    reason,
    message,
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
  parquet: 'parquet',
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
  parquet: 'ParquetError',
  custom: 'CustomError',
}

/** Where on its way the record failed: what the letter says, otherwise what its reason says. */
export function stageOf({ stage, reason }: Pick<DeadLetter, 'stage' | 'reason'>): DeadLetterStage {
  return stage ?? STAGES[reason]
}

/** The name of the error that a reason stands for, for those who group by it. */
export function classOf(reason: DeadLetterReason): string {
  return CLASSES[reason]
}

/** Letters with their numbers among those of one message (0 for the first), ascending by partition and offset. */
export function numbered(
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
