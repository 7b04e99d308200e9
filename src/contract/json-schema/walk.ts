import type { DataType } from '../../core/schema.ts'
import type { Fault, JsonSchema } from './json-schema.ts'
import type { References } from './references.ts'

/** A schema that applies to a value, one of several that apply together. */
export interface Part {
  readonly schema: JsonSchema
  /** JSON pointer of the schema in the contract. */
  readonly at: string
  /** Schemas that references led to on the way here; one that comes again is a recursion. */
  readonly refs: readonly unknown[]
}

/** What one walk through a contract knows and collects. */
export interface Walk {
  readonly references: References
  readonly faults: Fault[]
  /** The column type that all parts together ask for, or `undefined` once a fault is noted. */
  typeOf(parts: readonly Part[], at: string): DataType | undefined
  /** Whether they ask for text without saying of what kind the values are; asked where `typeOf` found no fault. */
  isLoose(parts: readonly Part[]): boolean
}

/** Notes a fault; returns `undefined`, no column type, so that callers can leave with it. */
export function fault(walk: Walk, at: string, message: string): DataType | undefined {
  walk.faults.push({ at, message })
  return undefined
}
