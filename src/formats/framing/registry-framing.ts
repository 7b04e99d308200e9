import { mapBounded } from '../../core/concurrency.ts'
import type { DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { originOf, valueOf, type Raw } from '../../core/raw.ts'
import type { RegisteredSchema, SchemaRegistry } from '../../registry/registry.ts'
import type { Format } from '../format.ts'
import { withRewrittenValues } from './rewrite-values.ts'

/** Length of the header before a value: a zero byte and the big-endian id of its schema. */
export const REGISTRY_HEADER_BYTES = 5

/** Limit of cached ids, including those unknown to the registry. */
const CACHED_SCHEMAS_MAX = 1_000
/** Limit of new ids per batch. More than that indicates corrupt or forged ids. */
const NEW_IDS_PER_BATCH_MAX = 1_000
const CONCURRENT_FETCHES_MAX = 8
/** Milliseconds until an id that the registry did not know is requested again. */
const UNKNOWN_ID_RETRY_MS = 60_000

/** Returns the schema id in the header of a value. Throws when the value has no header. */
export function schemaIdOf(value: Uint8Array): number {
  if (value[0] !== 0) throw new Error('expected the zero byte in front of a schema id, got none')
  if (value.length < REGISTRY_HEADER_BYTES) throw new Error('expected a schema id of four bytes, got the end')
  return new DataView(value.buffer, value.byteOffset).getUint32(1)
}

/** Holds what `make` returned for the schema of an id, or the reason why there is nothing. */
type CachedSchema<T> = { readonly made: T } | { readonly fault: string; readonly untilMs: number }

/**
 * Caches schemas by id. Each is fetched once and converted by `make`. When `make` refuses a schema, its values become
 * dead letters.
 */
export class SchemasById<T> {
  readonly #registry: SchemaRegistry
  readonly #make: (schema: RegisteredSchema, source: string) => T
  readonly #now: () => number
  readonly #cache = new Map<number, CachedSchema<T>>()

  constructor(
    registry: SchemaRegistry,
    make: (schema: RegisteredSchema, source: string) => T,
    now: () => number = Date.now,
  ) {
    this.#registry = registry
    this.#make = make
    this.#now = now
  }

  /**
   * Fetches the schemas that a batch needs and that are not cached; `undefined` when all are cached.
   * @throws KD_REGISTRY_FAILED when the registry does not respond or denies access
   */
  prepare(raw: Raw): Promise<void> | undefined {
    const now = this.#now()
    const used = new Set<number>()
    const wanted = new Set<number>()
    for (let i = 0; i < raw.count && wanted.size < NEW_IDS_PER_BATCH_MAX; i++) {
      const value = valueOf(raw, i)
      if (value === undefined || value[0] !== 0 || value.length < REGISTRY_HEADER_BYTES) continue
      const id = schemaIdOf(value)
      if (used.has(id)) continue
      used.add(id)
      const cached = this.#cache.get(id)
      if (cached === undefined || ('untilMs' in cached && cached.untilMs <= now)) wanted.add(id)
    }
    return wanted.size === 0 ? undefined : this.#fetch([...wanted], used)
  }

  /** Returns the converted schema of an id. Throws when it is not available. */
  get(id: number): T {
    const cached = this.#cache.get(id)
    if (cached === undefined)
      throw new Error(`expected at most ${NEW_IDS_PER_BATCH_MAX} new schema ids in one batch, got more`)
    if ('fault' in cached) throw new Error(cached.fault)
    return cached.made
  }

  async #fetch(ids: readonly number[], used: ReadonlySet<number>): Promise<void> {
    const found = await mapBounded(ids, CONCURRENT_FETCHES_MAX, (id) => this.#registry.schema(id))
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size + ids.length <= CACHED_SCHEMAS_MAX) break
      if (!used.has(oldest)) this.#cache.delete(oldest)
    }
    for (const [i, id] of ids.entries()) this.#cache.set(id, this.#cachedOf(id, found[i]))
  }

  #cachedOf(id: number, schema: RegisteredSchema | undefined): CachedSchema<T> {
    const source = `${this.#registry.url}/schemas/ids/${id}`
    if (schema === undefined)
      return {
        fault: `expected a schema id that the registry knows, got ${id}`,
        untilMs: this.#now() + UNKNOWN_ID_RETRY_MS,
      }
    try {
      return { made: this.#make(schema, source) }
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error
      return { fault: `the schema ${id}: ${messageOf(error)}`, untilMs: Infinity }
    }
  }
}

/** Returns a format that removes the schema id from each value, for formats that do not need it. */
export function withoutSchemaIds(inner: Format): Format {
  return withRewrittenValues(inner, (raw) => {
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
