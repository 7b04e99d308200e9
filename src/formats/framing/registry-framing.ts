import { mapBounded } from '../../core/concurrency.ts'
import type { DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { originOf, valueOf, type Raw } from '../../core/raw.ts'
import { createSchemaRegistry, type RegisteredSchema, type SchemaRegistry } from '../../registry/registry.ts'
import type { Format } from '../format.ts'
import type { FormatSettings } from '../settings.ts'
import { withRewrittenValues } from './rewrite-values.ts'
import { namedSchemaOf, schemaIdIn, type SchemaId } from './schema-id.ts'

/** Limit of cached ids, including those unknown to the registry. */
const CACHED_SCHEMAS_MAX = 1_000
/** Limit of new ids per batch. More than that indicates corrupt or forged ids. */
const NEW_IDS_PER_BATCH_MAX = 1_000
const CONCURRENT_FETCHES_MAX = 8
/** Milliseconds until an id that the registry did not know is requested again. */
const UNKNOWN_ID_RETRY_MS = 60_000

/** No registry gives the id 0, but an id of eight bytes begins like it. */
const EIGHT_BYTES = ' (ids of eight bytes, as Apicurio writes them by default, are not supported)'

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
  readonly #cache = new Map<SchemaId, CachedSchema<T>>()

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
    const used = new Set<SchemaId>()
    const wanted = new Set<SchemaId>()
    for (let i = 0; i < raw.count && wanted.size < NEW_IDS_PER_BATCH_MAX; i++) {
      const value = valueOf(raw, i)
      const id = value && schemaIdIn(value, raw, i)
      if (id === undefined || used.has(id)) continue
      used.add(id)
      const cached = this.#cache.get(id)
      if (cached === undefined || ('untilMs' in cached && cached.untilMs <= now)) wanted.add(id)
    }
    return wanted.size === 0 ? undefined : this.#fetch([...wanted], used)
  }

  /** Returns the converted schema of an id, or `undefined` when it is not available. */
  find(id: SchemaId): T | undefined {
    const cached = this.#cache.get(id)
    return cached !== undefined && 'made' in cached ? cached.made : undefined
  }

  /** Returns the converted schema of an id. Throws when it is not available. */
  get(id: SchemaId): T {
    const cached = this.#cache.get(id)
    if (cached === undefined)
      throw new Error(`expected at most ${NEW_IDS_PER_BATCH_MAX} new schema ids in one batch, got more`)
    if ('fault' in cached) throw new Error(cached.fault)
    return cached.made
  }

  async #fetch(ids: readonly SchemaId[], used: ReadonlySet<SchemaId>): Promise<void> {
    const found = await mapBounded(ids, CONCURRENT_FETCHES_MAX, (id) => this.#registry.schema(id))
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size + ids.length <= CACHED_SCHEMAS_MAX) break
      if (!used.has(oldest)) this.#cache.delete(oldest)
    }
    for (const [i, id] of ids.entries()) this.#cache.set(id, this.#cachedOf(id, found[i]))
  }

  #cachedOf(id: SchemaId, schema: RegisteredSchema | undefined): CachedSchema<T> {
    const source = `${this.#registry.url}/schemas/${typeof id === 'number' ? 'ids' : 'guids'}/${id}`
    if (schema === undefined)
      return {
        fault: `expected a schema id that the registry knows, got ${id}${id === 0 ? EIGHT_BYTES : ''}`,
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

/**
 * Returns the client of the schema registry that the settings hold, or a new one.
 * @throws KD_CONFIG_INVALID when no registry is configured
 */
export function registryOf({ registry, schemaRegistry }: FormatSettings): SchemaRegistry {
  if (registry !== undefined) return registry
  if (schemaRegistry !== undefined) return createSchemaRegistry(schemaRegistry)
  throw new PipelineError('KD_CONFIG_INVALID', 'framing registry needs schemaRegistry.url')
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
        valueStart[i] = (valueStart[i] as number) + namedSchemaOf(value, raw, i).start
      } catch (thrown) {
        valueStart[i] = -1
        refused.push(i)
        deadLetters.push(deadLetterOf(raw, i, 'decode', messageOf(thrown)))
      }
    }
    const { message, framed } = originOf(raw)
    const origin = {
      message,
      framed: (i: number, part: Uint8Array) => {
        const prefix = raw.bytes.subarray(raw.valueStart[i], valueStart[i])
        return framed(i, prefix.length === 0 ? part : Buffer.concat([prefix, part]))
      },
    }
    return { raw: { ...raw, valueStart, origin }, refused, deadLetters }
  })
}
