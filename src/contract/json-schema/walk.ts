import type { DataType } from '../../core/schema.ts'
import type { JsonSchemaFault, JsonSchema } from './json-schema.ts'
import type { SchemaReferences } from './references.ts'

/** Describes a schema that applies to a value, one of several that apply together. */
export interface SchemaPart {
  readonly schema: JsonSchema
  /** JSON pointer of the schema in the contract. */
  readonly at: string
  /** Schemas reached by references on the way here. A schema that occurs twice is recursive. */
  readonly refs: readonly unknown[]
}

/** Holds the state of one traversal of a contract and collects its faults. */
export interface SchemaWalk {
  readonly references: SchemaReferences
  readonly faults: JsonSchemaFault[]
  /** Returns the column type that all parts together call for, or `undefined` after adding a fault. */
  typeOf(parts: readonly SchemaPart[], at: string): DataType | undefined
  /**
   * Returns true when the parts call for text without restricting the kind of value. Valid only when `typeOf` found
   * no fault.
   */
  acceptsAnyJson(parts: readonly SchemaPart[]): boolean
}

/** Adds a fault. Returns `undefined` in place of a column type, so that callers can return it. */
export function addFault(walk: SchemaWalk, at: string, message: string): DataType | undefined {
  walk.faults.push({ at, message })
  return undefined
}
