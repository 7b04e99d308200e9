import type { RegisteredSchema, SchemaRegistry } from '../../registry/registry.ts'
import type { SchemaId } from './schema-id.ts'

/** Limit of the schemas that are kept; topics have far fewer. */
const SCHEMAS_MAX = 1_000

/** Asks a schema registry, and keeps the schemas that it has returned for worker threads, which have no registry. */
export class KnownSchemas implements SchemaRegistry {
  readonly #registry: SchemaRegistry
  #found: ReadonlyMap<SchemaId, RegisteredSchema> | undefined = new Map<SchemaId, RegisteredSchema>()

  constructor(registry: SchemaRegistry) {
    this.#registry = registry
  }

  get url(): string {
    return this.#registry.url
  }

  /**
   * The schemas by their ids: the same object until another one is fetched. `undefined` when there have been more than 1,000,
   * which threads are not told.
   */
  get found(): ReadonlyMap<SchemaId, RegisteredSchema> | undefined {
    return this.#found
  }

  async schema(id: SchemaId): Promise<RegisteredSchema | undefined> {
    const schema = await this.#registry.schema(id)
    if (schema !== undefined && this.#found?.has(id) === false)
      this.#found = this.#found.size < SCHEMAS_MAX ? new Map([...this.#found, [id, schema]]) : undefined
    return schema
  }

  latest(subject: string): Promise<RegisteredSchema | undefined> {
    return this.#registry.latest(subject)
  }
}

/** Returns a registry that has these schemas, by their ids, and no subjects. */
export function registryFrom(url: string, schemas: ReadonlyMap<SchemaId, RegisteredSchema>): SchemaRegistry {
  return {
    url,
    schema: (id) => Promise.resolve(schemas.get(id)),
    latest: () => Promise.resolve(undefined),
  }
}
