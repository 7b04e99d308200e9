import type { DeadLetter } from '../../core/batch.ts'
import type { Origin, Raw } from '../../core/raw.ts'
import type { Decoded, Format } from '../format.ts'

/**
 * A batch whose values were made anew, as many as there were or, with `raw.parts`, others. A record of which none could be
 * made has no value in it and is one of `refused`, for each of which there is a dead letter.
 */
export interface Rewritten {
  /** With the way back to the values as they came. */
  readonly raw: Raw & { readonly origin: Origin }
  /** Ascending. */
  readonly refused: readonly number[]
  readonly deadLetters: readonly DeadLetter[]
}

/**
 * A format behind another form of its values: `rewrite` makes values that `inner` reads out of what came. Dead letters
 * hold the value as it came, or what stands for their record alone, so that they can be played again.
 */
export function rewritten(inner: Format, rewrite: (raw: Raw) => Rewritten): Format {
  // What `prepare` has rewritten, for the `decode` that follows.
  const ready = new WeakMap<Raw, Rewritten>()
  const prepare = inner.prepare?.bind(inner)
  const decode = (raw: Raw): Decoded => {
    const made = ready.get(raw) ?? rewrite(raw)
    const decoded = inner.decode(made.raw)
    return {
      ...decoded,
      raw: decoded.raw === made.raw && made.raw.parts === raw.parts ? raw : withRefused(decoded.raw, made),
      tombstones: decoded.tombstones - made.refused.length,
      deadLetters: [...made.deadLetters, ...decoded.deadLetters],
    }
  }
  if (prepare === undefined) return { name: inner.name, decode }
  return {
    name: inner.name,
    decode,
    prepare(raw) {
      const made = rewrite(raw)
      ready.set(raw, made)
      return prepare(made.raw)
    },
  }
}

/** The batch with an empty value for each record that was refused, so that none of them is taken for a tombstone. */
function withRefused(raw: Raw, { raw: made, refused }: Rewritten): Raw {
  if (refused.length === 0) return raw
  const valueStart = Int32Array.from(raw.valueStart)
  const valueEnd = Int32Array.from(raw.valueEnd)
  const places = raw === made ? refused : placesOf(raw, refused)
  for (const i of places) valueStart[i] = valueEnd[i] = 0
  return { ...raw, valueStart, valueEnd }
}

/** Where the records of these messages are. Both ascend. */
function placesOf({ parts, count }: Raw, messages: readonly number[]): readonly number[] {
  if (parts === undefined) return messages
  const places: number[] = []
  let next = 0
  for (let i = 0; i < count && next < messages.length; i++) {
    if (parts.message[i] !== messages[next]) continue
    places.push(i)
    next++
  }
  return places
}
