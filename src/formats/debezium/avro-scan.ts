import type { FixedBuilder } from '../../arrow/fixed-builder.ts'
import type { BytesBuilder } from '../../arrow/bytes-builder.ts'
import type { ObjectReason } from '../format.ts'
import { readAvroLong, readInt, readLength, type AvroInput } from '../avro/columnar/input.ts'
import { skipAvroValue, skipPlanOf, type SkipPlan } from '../avro/columnar/skip.ts'
import type { AvroNode, AvroRecord } from '../avro/schema.ts'
import type { EventFields, FieldBuilder } from './event-batch.ts'

/** Limit of the parts of the schema of an event. */
const PARTS_MAX = 10_000

/** Describes how the value of an event field is read: its branch of a union, or -1 outside of one. */
interface FieldPlan {
  readonly kind: 'text' | 'long'
  readonly branch: number
}

/** Describes the fields of a record whose positions are noted. */
interface RecordPlan {
  readonly skips: readonly SkipPlan[]
  readonly names: readonly string[]
}

/** Describes the events of one schema. */
export interface EventPlan {
  readonly event: RecordPlan
  readonly source: RecordPlan | undefined
  readonly before: number
  readonly after: number
  readonly op: number
  readonly sourceAt: number
  /** The branches of the row in the unions of `before` and `after`; -1 outside of a union. */
  readonly rowBranches: readonly [before: number, after: number]
  readonly row: AvroRecord
  /** For each event field, where it is in the event and in its source, and how it is read there. */
  readonly fields: readonly FieldPlaces[]
}

interface Place {
  /** Index among the fields of its record. */
  readonly at: number
  readonly plan: FieldPlan
}

interface FieldPlaces {
  readonly inEvent: Place | undefined
  readonly inSource: Place | undefined
}

/**
 * Returns how events of a schema are read: `before` and `after` are the same record or null, `op` is text. Returns why they
 * need objects otherwise.
 */
export function eventPlanOf(event: AvroNode, fields: readonly string[]): EventPlan | ObjectReason {
  const refuse = (reason: string): ObjectReason => ({ subject: 'envelope', reason })
  if (event.kind !== 'record') return refuse('an event is a record')
  const indexOf = (name: string): number => event.fields.findIndex((field) => field.name === name)
  const nodeOf = (name: string): AvroNode | undefined => event.fields[indexOf(name)]?.node
  const [before, after] = [rowOf(nodeOf('before')), rowOf(nodeOf('after'))]
  if (before === undefined || after === undefined || before.row !== after.row)
    return refuse('the states before and after a change have different schemas')
  if (nodeOf('op')?.kind !== 'string') return refuse('op is not text')
  const source = nodeOf('source')
  if (source !== undefined && source.kind !== 'record') return refuse('source is not a record')
  const places: FieldPlaces[] = []
  for (const field of fields) {
    const isDirect = !field.startsWith('source.')
    const inEvent = isDirect ? placeOf(event, field) : undefined
    const inSource = source === undefined ? undefined : placeOf(source, field.replace(/^source\./, ''))
    if (inEvent === 'other' || inSource === 'other')
      return { subject: `debezium.fields.${field}`, reason: 'it is neither text nor a whole number' }
    places.push({ inEvent, inSource })
  }
  let parts = 0
  const count = (): void => {
    if (++parts > PARTS_MAX) throw new RangeError('too many parts')
  }
  const planOf = (record: AvroRecord): RecordPlan => ({
    skips: record.fields.map(({ node }) => skipPlanOf(node, count)),
    names: record.fields.map(({ name }) => name),
  })
  try {
    return {
      event: planOf(event),
      source: source && planOf(source),
      before: indexOf('before'),
      after: indexOf('after'),
      op: indexOf('op'),
      sourceAt: indexOf('source'),
      rowBranches: [before.branch, after.branch],
      row: after.row,
      fields: places,
    }
  } catch (error) {
    if (error instanceof RangeError) return refuse(`the schema has more than ${PARTS_MAX} parts`)
    throw error
  }
}

/** Returns the record that a state is, alone or beside null. */
function rowOf(
  node: AvroNode | undefined,
): { readonly row: AvroRecord; readonly branch: number } | undefined {
  if (node?.kind === 'record') return { row: node, branch: -1 }
  if (node?.kind !== 'union') return undefined
  const others = node.branches.filter(({ kind }) => kind !== 'null')
  const [row] = others
  if (row?.kind !== 'record' || others.length > 1) return undefined
  return { row, branch: node.branches.indexOf(row) }
}

/** Returns where a field is and how it is read; undefined for a field that is absent, `other` for one of another type. */
function placeOf(record: AvroRecord, name: string): Place | 'other' | undefined {
  const at = record.fields.findIndex((field) => field.name === name)
  const node = record.fields[at]?.node
  if (node === undefined) return undefined
  const branches = node.kind === 'union' ? node.branches : [node]
  const others = branches.filter(({ kind }) => kind !== 'null')
  const [own] = others
  if (own === undefined || others.length > 1) return 'other'
  const kind = own.kind === 'string' ? 'text' : own.kind === 'int' || own.kind === 'long' ? 'long' : undefined
  // Values of logical types have a form of their own.
  if (kind === undefined || (own as { readonly logical?: unknown }).logical !== undefined) return 'other'
  return { at, plan: { kind, branch: node.kind === 'union' ? branches.indexOf(own) : -1 } }
}

/** Finds the parts of one event in Avro at a time. */
export class AvroEventScan implements EventFields {
  stateStart = -1
  stateEnd = -1
  isDelete = false
  readonly #input: AvroInput
  #plan: EventPlan | undefined
  #event: Int32Array = new Int32Array(0)
  #source: Int32Array = new Int32Array(0)

  constructor(input: AvroInput) {
    this.#input = input
  }

  /**
   * Finds the parts of the event in [start, end). Returns false when it is not plainly an event with the row that its
   * operation requires.
   */
  find(plan: EventPlan, start: number, end: number): boolean {
    const input = this.#input
    input.end = end
    if (this.#plan !== plan) {
      this.#plan = plan
      this.#event = new Int32Array(plan.event.skips.length + 1)
      this.#source = new Int32Array((plan.source?.skips.length ?? 0) + 1)
    }
    if (this.#scan(plan.event.skips, this.#event, start) !== end) return false
    if (plan.source !== undefined)
      this.#scan(plan.source.skips, this.#source, this.#event[plan.sourceAt] as number)
    return this.#findState(plan)
  }

  appendField(builder: FieldBuilder, index: number): boolean | undefined {
    const { inEvent, inSource } = this.#plan?.fields[index] as FieldPlaces
    const own = inEvent && this.#append(builder, inEvent.plan, this.#event[inEvent.at] as number)
    if (own !== undefined || inSource === undefined) return own
    return this.#append(builder, inSource.plan, this.#source[inSource.at] as number)
  }

  /** Notes where each field begins, and where the last one ends. Returns that, or -1. */
  #scan(skips: readonly SkipPlan[], starts: Int32Array, at: number): number {
    for (let field = 0; field < skips.length; field++) {
      starts[field] = at
      at = skipAvroValue(this.#input, skips[field] as SkipPlan, at)
      if (at < 0) return -1
    }
    starts[skips.length] = at
    return at
  }

  #findState({ before, after, op, rowBranches }: EventPlan): boolean {
    const input = this.#input
    const text = readLength(input, this.#event[op] as number)
    if (text < 0 || input.low !== 1) return false
    switch (input.bytes[text]) {
      case 0x63: // c
      case 0x75: // u
      case 0x72: // r
        this.isDelete = false
        break
      case 0x64: // d
        this.isDelete = true
        break
      default:
        return false
    }
    const side = this.isDelete ? before : after
    const branch = rowBranches[this.isDelete ? 0 : 1]
    let at = this.#event[side] as number
    if (branch >= 0) {
      at = readInt(input, at)
      if (at < 0 || input.low !== branch) return false
    }
    this.stateStart = at
    this.stateEnd = this.#event[side + 1] as number
    return true
  }

  #append(builder: FieldBuilder, { kind, branch }: FieldPlan, at: number): boolean | undefined {
    const input = this.#input
    if (branch >= 0) {
      at = readInt(input, at)
      if (input.low !== branch) return undefined
    }
    if (kind === 'text') {
      at = readLength(input, at)
      if (builder.kind !== 'bytes') return false
      return appendText(builder, input, at)
    }
    readAvroLong(input, at)
    return appendLong(builder, input.low, input.high)
  }
}

function appendText(builder: BytesBuilder, { view, low }: AvroInput, at: number): boolean {
  builder.appendRange(view, at, at + low)
  return true
}

function appendLong(builder: FixedBuilder | BytesBuilder, low: number, high: number): boolean {
  if (builder.kind === 'fixed') {
    builder.appendPair(low, high)
    return true
  }
  // A column of text has the number as JSON writes it.
  return builder.append(String((BigInt(high) << 32n) | BigInt(low >>> 0))) === undefined
}
