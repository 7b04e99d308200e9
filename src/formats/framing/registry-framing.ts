import { mapBounded } from '../../core/concurrency.ts'
import type { DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { originOf, valueOf, type Raw } from '../../core/raw.ts'
import type { RegisteredSchema, Registry } from '../../registry/registry.ts'
import type { Format } from '../format.ts'
import { rewritten } from './rewritten.ts'

/** Bytes in front of a value: a zero and the id of its schema, big end first. */
export const REGISTRY_HEADER_BYTES = 5

/** Schemas that are kept, known to the registry or not. */
const KEPT_MAX = 1_000
/** New ids of one batch that are asked for: beyond it somebody makes them up. */
const ASKED_MAX = 1_000
const ASKED_AT_ONCE = 8
/** How long an id that the registry does not know is not asked for again, in milliseconds. */
const UNKNOWN_MS = 60_000

/** The id in front of a value. Throws where there is none. */
export function schemaIdOf(value: Uint8Array): number {
  if (value[0] !== 0) throw new Error('expected the zero byte in front of a schema id, got none')
  if (value.length < REGISTRY_HEADER_BYTES) throw new Error('expected a schema id of four bytes, got the end')
  return new DataView(value.buffer, value.byteOffset).getUint32(1)
}

/** What became of an id: what was made of its schema, or why nothing could be. */
type Kept<T> = { readonly made: T } | { readonly fault: string; readonly untilMs: number }

/** Schemas by their ids, each fetched once and made into a `T` by `make`; a schema that `make` refuses makes its values dead letters. */
export class SchemasById<T> {
  readonly #registry: Registry
  readonly #make: (schema: RegisteredSchema, source: string) => T
  readonly #now: () => number
  readonly #kept = new Map<number, Kept<T>>()

  constructor(
    registry: Registry,
    make: (schema: RegisteredSchema, source: string) => T,
    now: () => number = Date.now,
  ) {
    this.#registry = registry
    this.#make = make
    this.#now = now
  }

  /**
   * Fetches what the values of a batch need and is not here; `undefined` when that is nothing.
   * Rejects with KD_REGISTRY_FAILED when the registry stays silent or lets us not in.
   */
  prepare(raw: Raw): Promise<void> | undefined {
    const now = this.#now()
    const used = new Set<number>()
    const wanted = new Set<number>()
    for (let i = 0; i < raw.count && wanted.size < ASKED_MAX; i++) {
      const value = valueOf(raw, i)
      if (value === undefined || value[0] !== 0 || value.length < REGISTRY_HEADER_BYTES) continue
      const id = schemaIdOf(value)
      if (used.has(id)) continue
      used.add(id)
      const kept = this.#kept.get(id)
      if (kept === undefined || ('untilMs' in kept && kept.untilMs <= now)) wanted.add(id)
    }
    return wanted.size === 0 ? undefined : this.#fetch([...wanted], used)
  }

  /** What was made of the schema of an id. Throws where it could not be had. */
  get(id: number): T {
    const kept = this.#kept.get(id)
    if (kept === undefined)
      throw new Error(`expected at most ${ASKED_MAX} new schema ids in one batch, got more`)
    if ('fault' in kept) throw new Error(kept.fault)
    return kept.made
  }

  async #fetch(ids: readonly number[], used: ReadonlySet<number>): Promise<void> {
    const found = await mapBounded(ids, ASKED_AT_ONCE, (id) => this.#registry.schema(id))
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size + ids.length <= KEPT_MAX) break
      if (!used.has(oldest)) this.#kept.delete(oldest)
    }
    for (const [i, id] of ids.entries()) this.#kept.set(id, this.#keptOf(id, found[i]))
  }

  #keptOf(id: number, schema: RegisteredSchema | undefined): Kept<T> {
    const source = `${this.#registry.url}/schemas/ids/${id}`
    if (schema === undefined)
      return {
        fault: `expected a schema id that the registry knows, got ${id}`,
        untilMs: this.#now() + UNKNOWN_MS,
      }
    try {
      return { made: this.#make(schema, source) }
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error
      return { fault: `the schema ${id}: ${messageOf(error)}`, untilMs: Infinity }
    }
  }
}

/** A format whose values have a schema id in front, which it does not need to read them. */
export function withoutSchemaIds(inner: Format): Format {
  return rewritten(inner, (raw) => {
    const valueStart = Int32Array.from(raw.valueStart)
    const refused: number[] = []
    const deadLetters: DeadLetter[] = []
    for (let i = 0; i < raw.count; i++) {
      const value = valueOf(raw, i)
      if (value === undefined) continue
      try {
        schemaIdOf(value)
        valueStart[i] = (valueStart[i] as number) + REGISTRY_HEADER_BYTES
      } catch (thrown) {
        valueStart[i] = -1
        refused.push(i)
        deadLetters.push(deadLetterOf(raw, i, 'decode', messageOf(thrown)))
      }
    }
    const { message, framed } = originOf(raw)
    const origin = {
      message,
      framed: (i: number, part: Uint8Array) =>
        framed(i, Buffer.concat([valueOf(raw, i)?.subarray(0, REGISTRY_HEADER_BYTES) ?? part, part])),
    }
    return { raw: { ...raw, valueStart, origin }, refused, deadLetters }
  })
}
