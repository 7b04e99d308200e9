import type { DeadLetter } from '../../core/batch.ts'
import type { Origin, Raw } from '../../core/raw.ts'
import type { Decoded, Format } from '../format.ts'

/**
 * Describes a batch whose values are replaced: one for each original value or, with `raw.parts`, several. A record
 * that could not be replaced has no value in it, is listed in `refused`, and has a dead letter.
 */
export interface RewrittenBatch {
  /** The batch with the mapping back to the original values. */
  readonly raw: Raw & { readonly origin: Origin }
  /** Ascending. */
  readonly refused: readonly number[]
  readonly deadLetters: readonly DeadLetter[]
}

/**
 * Returns a format that decodes values after `rewrite` has replaced them. Dead letters hold the original value, or
 * the part of it that contains only their record, so that they can be replayed.
 */
export function withRewrittenValues(inner: Format, rewrite: (raw: Raw) => RewrittenBatch): Format {
  // Batches that `prepare` has rewritten, for the `decode` that follows.
  const ready = new WeakMap<Raw, RewrittenBatch>()
  const prepare = inner.prepare?.bind(inner)
  const decode = (raw: Raw): Decoded => {
    const made = ready.get(raw) ?? rewrite(raw)
    const decoded = inner.decode(made.raw)
    return {
      ...decoded,
      raw:
        decoded.raw === made.raw && made.raw.parts === raw.parts ? raw : withEmptyRefused(decoded.raw, made),
      tombstones: decoded.tombstones - made.refused.length,
      deadLetters: [...made.deadLetters, ...decoded.deadLetters],
      ...withRefused(decoded, made.refused.length),
    }
  }
  const objectReasons = inner.objectReasons?.bind(inner)
  const format = { name: inner.name, decode, ...(objectReasons === undefined ? {} : { objectReasons }) }
  if (prepare === undefined) return format
  return {
    ...format,
    prepare(raw) {
      const made = rewrite(raw)
      ready.set(raw, made)
      return prepare(made.raw)
    },
  }
}

/** Returns the counts of records that did not become columns, with those that were refused. */
function withRefused({ slow }: Decoded, refused: number): Pick<Decoded, 'slow'> {
  return refused === 0 ? {} : { slow: { ...slow, value: (slow?.value ?? 0) + refused } }
}

/** Returns the batch with an empty value for each refused record, so that it is not taken for a tombstone. */
function withEmptyRefused(raw: Raw, { raw: made, refused }: RewrittenBatch): Raw {
  if (refused.length === 0) return raw
  const valueStart = Int32Array.from(raw.valueStart)
  const valueEnd = Int32Array.from(raw.valueEnd)
  const indexes = raw === made ? refused : recordIndexesOf(raw, refused)
  for (const i of indexes) valueStart[i] = valueEnd[i] = 0
  return { ...raw, valueStart, valueEnd }
}

/** Returns the indexes of the records of these messages. Both ascend. */
function recordIndexesOf({ parts, count }: Raw, messages: readonly number[]): readonly number[] {
  if (parts === undefined) return messages
  const indexes: number[] = []
  let next = 0
  for (let i = 0; i < count && next < messages.length; i++) {
    if (parts.messageIndex[i] !== messages[next]) continue
    indexes.push(i)
    next++
  }
  return indexes
}
