import type { StructBuilder } from '../arrow/builder.ts'
import type { DroppedPaths } from '../arrow/rows.ts'
import { columnRulesOf, type ColumnRules } from '../contract/columns/column-rules.ts'
import type { PlainContract, PlainValue } from '../contract/columns/plain.ts'
import { contractHasObjectRules, contractHasRules } from './contract-rules.ts'
import type { FormatOptions, ObjectReason } from './format.ts'
import type { FinishedRows } from './record-columns.ts'
import { withoutSuspects } from './suspects.ts'

/** Says that a contract has rules that rows in columns cannot be checked by. */
export const UNPROVEN_RULES: ObjectReason = {
  subject: 'contract',
  reason: 'the contract has rules that only objects can be checked by',
}

/**
 * Collects the records whose rows were appended to a builder, and checks the rows of a batch by the rules of the contract.
 * Rows that may violate one are left out, so that the contract gives its reason.
 */
export class RowCollector {
  /** True when the contract has rules that rows in columns cannot be checked by: no row may be appended. */
  readonly isRefusing: boolean
  readonly #builder: StructBuilder
  readonly #rules: ColumnRules | undefined
  #records: number[] = []
  #dropped = 0
  /** Fields left out of each row, if rows may be left out themselves. */
  #droppedOf: number[] = []

  constructor(builder: StructBuilder, { plain, schema }: FormatOptions) {
    this.#builder = builder
    const hasRules = plain !== undefined && contractHasRules(plain)
    // Where only values have rules, a field that a message lacks obeys them as null does, or is left to the contract.
    const meaning = hasWideRules(plain) ? undefined : (): 'null' => 'null'
    this.#rules = hasRules ? columnRulesOf(plain, schema, meaning) : undefined
    this.isRefusing = hasRules && this.#rules === undefined
  }

  /** Adds the record of the row that was appended last, of which `dropped` fields were left out. */
  add(record: number, dropped: number): void {
    this.#records.push(record)
    this.#dropped += dropped
    if (this.#rules !== undefined) this.#droppedOf.push(dropped)
  }

  /** Returns the rows since the last call. */
  finish(droppedPaths?: DroppedPaths): FinishedRows {
    const columns = this.#builder.finishColumns()
    const records = Int32Array.from(this.#records)
    const droppedOf = this.#droppedOf
    const dropped = this.#dropped
    this.#records = []
    this.#droppedOf = []
    this.#dropped = 0
    const paths = droppedPaths === undefined ? {} : { droppedPaths }
    if (this.#rules === undefined) return { rows: { columns, records }, droppedFields: dropped, ...paths }
    const suspect = new Uint8Array(records.length)
    this.#rules(columns, suspect)
    const { suspects, ...rows } = withoutSuspects(columns, records, suspect)
    const again = droppedOf.reduce((sum, count, row) => sum + (suspect[row] === 1 ? count : 0), 0)
    return { rows, droppedFields: dropped - again, suspects, ...paths }
  }
}

/** Returns true when the contract has rules for an object at any depth. */
function hasWideRules(contract: PlainContract | undefined): boolean {
  if (contract === undefined) return false
  return contractHasObjectRules(contract) || contract.fields.some(containsWideRules)
}

function containsWideRules({ object, items, entries }: PlainValue): boolean {
  if (hasWideRules(object)) return true
  return (
    (items !== undefined && containsWideRules(items)) || (entries !== undefined && containsWideRules(entries))
  )
}
