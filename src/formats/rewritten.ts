import type { DeadLetter } from '../core/batch.ts'
import { valueOf, type Raw } from '../core/raw.ts'
import type { Decoded, Format } from './format.ts'

/** A batch whose values were made anew. Where one could not be, it has none, and a dead letter says why. */
export interface Rewritten {
  readonly raw: Raw
  readonly deadLetters: readonly DeadLetter[]
}

/**
 * A format behind another form of its values: `rewrite` makes values that `inner` reads out of what came. Dead letters
 * keep the value as it came, so that it can be played again.
 */
export function rewritten(inner: Format, rewrite: (raw: Raw) => Rewritten): Format {
  // What `prepare` has rewritten, for the `decode` that follows.
  const ready = new WeakMap<Raw, Rewritten>()
  const prepare = inner.prepare?.bind(inner)
  const decode = (raw: Raw): Decoded => {
    const { raw: plain, deadLetters } = ready.get(raw) ?? rewrite(raw)
    const decoded = inner.decode(plain)
    return {
      ...decoded,
      raw,
      tombstones: decoded.tombstones - deadLetters.length,
      deadLetters: [...deadLetters, ...asTheyCame(decoded, raw)],
    }
  }
  if (prepare === undefined) return { name: inner.name, decode }
  return {
    name: inner.name,
    decode,
    prepare(raw) {
      const values = rewrite(raw)
      ready.set(raw, values)
      return prepare(values.raw)
    },
  }
}

/** The dead letters of the format, with their values as Kafka has them. */
function asTheyCame(decoded: Decoded, raw: Raw): DeadLetter[] {
  if (decoded.deadLetters.length === 0) return []
  const places = new Map(Array.from(raw.offsets, (offset, i) => [offset, i]))
  return decoded.deadLetters.map((letter) => {
    const i = places.get(letter.offset)
    if (i === undefined) throw new Error('Broken invariant: a dead letter of no record')
    return { ...letter, value: valueOf(raw, i)?.slice() }
  })
}
