import type { DataType } from '../core/schema.ts'
import type { Fault, JsonSchema } from './json-schema.ts'

/** A schema that applies to a value, one of several that apply together. */
export interface Part {
  readonly schema: JsonSchema
  /** JSON pointer of the schema in the contract. */
  readonly at: string
  /** References followed to get here; one that comes again is a recursion. */
  readonly refs: readonly string[]
}

/** What one walk through a contract knows and collects. */
export interface Walk {
  readonly root: JsonSchema
  readonly faults: Fault[]
  /** The column type that all parts together ask for, or `undefined` once a fault is noted. */
  typeOf(parts: readonly Part[], at: string): DataType | undefined
}

/** Notes a fault; returns `undefined`, no column type, so that callers can leave with it. */
export function fault(walk: Walk, at: string, message: string): DataType | undefined {
  walk.faults.push({ at, message })
  return undefined
}
