import type { AnyBuilder, StructBuilder } from '../../arrow/builder.ts'
import type { BytesBuilder } from '../../arrow/bytes-builder.ts'
import type { FixedBuilder } from '../../arrow/fixed-builder.ts'
import type { PlainValue } from '../../contract/columns/plain.ts'
import { decimalOf } from '../../core/schema.ts'
import type { FormatOptions, ObjectReason, SlowReason } from '../format.ts'
import {
  contractHasObjectRules,
  contractHasRules,
  unfitType,
  type AppendedValues,
} from '../contract-rules.ts'

/** Describes how the text of a field becomes a value of its column; `kind` selects the function that reads it. */
export type CsvFieldPlan =
  | Plan<'text' | 'binary', BytesBuilder, undefined>
  | Plan<'boolean' | 'double' | 'date' | 'timestamp' | 'timestamp_ntz', FixedBuilder, undefined>
  | Plan<'integer', FixedBuilder, { readonly minimum: number; readonly maximum: number }>
  | Plan<'decimal', FixedBuilder, { readonly precision: number; readonly scale: number }>
  | Plan<'nested', AnyBuilder, undefined>
  | Plan<'dropped', undefined, string | undefined>
  | Plan<'unknown', undefined, undefined>

interface Plan<Kind, Builder, Rules> {
  readonly kind: Kind
  readonly builder: Builder
  /** For `dropped`, the name in lower case if the field is counted. */
  readonly rules: Rules
  /** Says if an unquoted null word is null, an absent field, or a case for the slow way. */
  readonly onNull: 'null' | 'absent' | 'refused'
}

/** Holds the fields of a line in their order. */
export interface CsvLinePlan {
  readonly fields: readonly CsvFieldPlan[]
  /** True when every field fills a column and every column has its field. */
  readonly isComplete: boolean
}

/** Says why lines with certain names need objects. */
export interface NoCsvPlan {
  readonly slow: SlowReason
  readonly reason: ObjectReason
}

const INTEGER_BITS: Readonly<Record<string, number>> = { byte: 8, short: 16, integer: 32, long: 64 }

/** Returns how a line with fields of these names becomes a row of `builder`, or why bytes alone cannot prove it. */
export function csvLinePlan(
  names: readonly string[],
  builder: StructBuilder,
  options: FormatOptions,
): CsvLinePlan | NoCsvPlan {
  const positions = new Map(builder.fields.map(({ name }, index) => [name, index]))
  const folded = new Set(builder.fields.map(({ name }) => name.toLowerCase()))
  if (new Set(names).size !== names.length) return refused('value', 'csv', 'a name is used for two fields')
  const isWide = contractHasObjectRules(options.plain)
  const fields: CsvFieldPlan[] = []
  for (const name of names) {
    const position = positions.get(name)
    if (position === undefined && folded.has(name.toLowerCase()))
      return refused('field', name, 'the name of the column has another case')
    const field =
      position === undefined ? unknownField(name, options) : knownField(position, builder, options)
    if ('slow' in field) return field
    if (isWide && (position === undefined || (field.onNull === 'absent' && builder.hasAbsentValue(position))))
      return refused('contract', name, WIDE)
    fields.push(field)
  }
  const given = new Set(names)
  for (const [index, { name, nullable }] of builder.fields.entries()) {
    if (given.has(name)) continue
    if (!nullable || ruleOf(name, options)?.required === true)
      return refused('contract', name, 'the column needs a value, and lines have no such field')
    if (isWide && builder.hasAbsentValue(index)) return refused('contract', name, WIDE)
  }
  const isComplete = names.length === builder.fields.length && names.every((name) => positions.has(name))
  return { fields, isComplete }
}

const WIDE = 'the contract has rules for rows as a whole, and the column is not what the message has'

function refused(slow: SlowReason, name: string, reason: string): NoCsvPlan {
  return { slow, reason: { subject: `columns.${name}`, reason } }
}

function ruleOf(
  name: string,
  { plain }: FormatOptions,
): (PlainValue & { readonly required: boolean }) | undefined {
  return plain?.fields.find((field) => field.name === name)
}

function unknownField(name: string, { plain, unknownFields = 'skip' }: FormatOptions): CsvFieldPlan {
  const onNull = 'absent'
  if (unknownFields === 'leave' || plain?.additionalProperties !== true)
    return { kind: 'unknown', builder: undefined, rules: undefined, onNull }
  const rules = unknownFields === 'count' ? name.toLowerCase() : undefined
  return { kind: 'dropped', builder: undefined, rules, onNull }
}

function knownField(
  position: number,
  { fields, children }: StructBuilder,
  options: FormatOptions,
): CsvFieldPlan | NoCsvPlan {
  const { name = '', nullable = false } = fields[position] ?? {}
  const builder = children[position] as AnyBuilder
  const rule = ruleOf(name, options)
  if (rule === undefined) return refused('contract', name, 'the contract has no plain rule for the column')
  const onNull = !nullable ? 'refused' : rule.nullable ? 'null' : rule.required ? 'refused' : 'absent'
  // A contract sees the number as it is written, and the column rounds it.
  if (builder.type === 'float' && options.plain !== undefined && contractHasRules(options.plain))
    return refused('contract', name, 'a float is rounded, and the contract has rules')
  const plan = planOf(builder)
  const missing = plan.kind === 'nested' ? undefined : unfitType(JSON_OF[plan.kind] ?? NO_TYPE, rule)
  return missing === undefined ? { ...plan, onNull } : refused('contract', name, missing)
}

type WithoutNull<T> = T extends unknown ? Omit<T, 'onNull'> : never

function planOf(builder: AnyBuilder): WithoutNull<CsvFieldPlan> {
  const { type } = builder
  if (builder.kind === 'bytes')
    return { kind: type === 'binary' ? 'binary' : 'text', builder, rules: undefined }
  if (builder.kind !== 'fixed' || typeof type !== 'string')
    return { kind: 'nested', builder, rules: undefined }
  const decimal = decimalOf(type)
  if (decimal !== undefined) return { kind: 'decimal', builder, rules: decimal }
  const bits = INTEGER_BITS[type]
  if (bits !== undefined) {
    const bound = bits === 64 ? Infinity : 2 ** (bits - 1)
    return { kind: 'integer', builder, rules: { minimum: -bound, maximum: bound - 1 } }
  }
  switch (type) {
    case 'boolean':
    case 'date':
    case 'timestamp':
    case 'timestamp_ntz':
      return { kind: type, builder, rules: undefined }
    default:
      return { kind: 'double', builder, rules: undefined }
  }
}

const NO_TYPE: AppendedValues = { json: [] }
/** The JSON types that values of each kind have. */
const JSON_OF: Readonly<Record<string, AppendedValues>> = {
  text: { json: ['string'] },
  binary: { json: ['string'] },
  boolean: { json: ['boolean'] },
  double: { json: ['number'] },
  integer: { json: ['integer', 'number'] },
  decimal: { json: ['number'] },
  date: { json: ['string'] },
  timestamp: { json: ['string'] },
  timestamp_ntz: { json: ['string'] },
}
