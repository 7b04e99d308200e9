import { isUtf8 } from 'node:buffer'
import { StructBuilder } from '../../arrow/builder.ts'
import type { BytesBuilder } from '../../arrow/bytes-builder.ts'
import { valueOf, type Raw } from '../../core/raw.ts'
import type { FormatOptions, ObjectReason, SlowReason } from '../format.ts'
import type { FinishedRows, RecordColumns } from '../record-columns.ts'
import { contractHasObjectRules, unfitType } from '../contract-rules.ts'
import { RowCollector, UNPROVEN_RULES } from '../row-collector.ts'

interface Refusal {
  readonly slow: SlowReason
  readonly reason: ObjectReason
}

/** Appends whole values to a single column, and to the other columns what rows without a value get. */
export class ValueColumn implements RecordColumns {
  readonly #builder: StructBuilder
  readonly #rows: RowCollector
  readonly #column: BytesBuilder | undefined
  /** Why no value becomes a column, if none does. */
  readonly #refusal: Refusal | undefined
  #of: Uint8Array | undefined
  #view: DataView = new DataView(new ArrayBuffer(0))
  #isAllUtf8 = false

  /** Creates a reader for values of `type`, which is the type of the column `name` that is filled. */
  constructor(options: FormatOptions, name: string, type: 'string' | 'binary') {
    this.#builder = new StructBuilder(options.schema, options.absentValues)
    this.#rows = new RowCollector(this.#builder, options)
    const child = this.#builder.children[options.schema.fields.findIndex((field) => field.name === name)]
    this.#column = child?.kind === 'bytes' && child.type === type ? child : undefined
    this.#refusal = this.#refusalOf(options, name)
  }

  read(raw: Raw, i: number): SlowReason | undefined {
    const column = this.#column
    if (this.#refusal !== undefined || column === undefined) return this.#refusal?.slow ?? 'value'
    if (this.#of !== raw.bytes) this.#use(raw.bytes, column)
    if (!this.#isAllUtf8 && !isUtf8(valueOf(raw, i) as Uint8Array)) return 'value'
    const { length } = this.#builder
    column.appendRange(this.#view, raw.valueStart[i] as number, raw.valueEnd[i] as number)
    if (!this.#builder.endRow()) {
      this.#builder.truncate(length)
      return 'value'
    }
    this.#rows.add(i, 0)
    return undefined
  }

  finish(): FinishedRows {
    // The reader may be idle for long: it holds no batch.
    this.#of = undefined
    this.#view = new DataView(new ArrayBuffer(0))
    return this.#rows.finish()
  }

  /** Returns why values need objects; empty if they do not. */
  reasons(): readonly ObjectReason[] {
    return this.#refusal === undefined ? [] : [this.#refusal.reason]
  }

  #refusalOf({ schema, plain }: FormatOptions, name: string): Refusal | undefined {
    const refused = (slow: SlowReason, column: string, reason: string): Refusal => ({
      slow,
      reason: { subject: `columns.${column}`, reason },
    })
    const rule = plain?.fields.find((field) => field.name === name)
    if (this.#column === undefined) return refused('schema', name, 'there is no such column of this type')
    if (this.#rows.isRefusing) return { slow: 'contract', reason: UNPROVEN_RULES }
    if (contractHasObjectRules(plain) && schema.fields.some((_, i) => this.#builder.hasAbsentValue(i)))
      return refused(
        'contract',
        name,
        'the contract has rules for rows as a whole, and columns have defaults',
      )
    const missing = rule && unfitType({ json: ['string'] }, rule)
    if (rule === undefined || missing !== undefined)
      return refused('contract', name, missing ?? 'the contract has no plain rule for the column')
    const needed = plain?.fields.find((field) => field.required && field.name !== name)
    const strict = schema.fields.find((field) => !field.nullable && field.name !== name)
    const other = needed ?? strict
    return other && refused('contract', other.name, 'the column needs a value, and there is only one field')
  }

  #use(bytes: Uint8Array, { type }: BytesBuilder): void {
    this.#of = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    // Newlines between values prevent two halves of a character from joining. Bytes of any kind are binary.
    this.#isAllUtf8 = type === 'binary' || isUtf8(bytes)
  }
}
