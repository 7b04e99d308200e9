import { StructBuilder } from '../../../arrow/builder.ts'
import { DroppedPaths } from '../../../arrow/rows.ts'
import type { Raw } from '../../../core/raw.ts'
import type { FormatOptions, ObjectReason, SlowReason } from '../../format.ts'
import type { FinishedRows, RecordColumns } from '../../record-columns.ts'
import { RowCollector, UNPROVEN_RULES } from '../../row-collector.ts'
import type { ProtoMessage } from '../schema.ts'
import { columnPlanOf, type MessageColumnPlan, type NoPlan } from './column-plan.ts'
import { readMessage } from './read-message.ts'
import { WireInput } from './wire-input.ts'

/** Finds the message of a record. */
export interface MessageLocator<Type extends TypeOfMessage> {
  /** The position of the message that was found last. */
  readonly start: number
  /** Returns the type of the message of record `i`, or `undefined` when its framing is invalid or its schema unknown. */
  find(raw: Raw, i: number): Type | undefined
  /** Forgets what was found in the batch before. */
  reset(): void
}

/** Identifies a message type. One type is one object. */
export interface TypeOfMessage {
  readonly message: ProtoMessage
}

/** Decodes Protobuf messages of any number of types directly into one set of columns. */
export class MessageColumnReader<Type extends TypeOfMessage> implements RecordColumns {
  readonly #options: FormatOptions
  readonly #locator: MessageLocator<Type>
  readonly #builder: StructBuilder
  readonly #rows: RowCollector
  readonly #droppedPaths: DroppedPaths
  // Bounded by the cache of schemas, which holds the types.
  readonly #plans = new WeakMap<Type, MessageColumnPlan | NoPlan>()
  #last: { readonly type: Type; readonly plan: MessageColumnPlan | NoPlan } | undefined
  #input = new WireInput(new Uint8Array())

  constructor(options: FormatOptions, locator: MessageLocator<Type>) {
    this.#options = options
    this.#locator = locator
    this.#builder = new StructBuilder(options.schema, options.absentValues)
    this.#rows = new RowCollector(this.#builder, options)
    this.#droppedPaths = new DroppedPaths(options.schema)
  }

  read(raw: Raw, i: number): SlowReason | undefined {
    if (this.#rows.isRefusing) return 'contract'
    const type = this.#locator.find(raw, i)
    if (type === undefined) return 'value'
    const plan = this.#last?.type === type ? this.#last.plan : this.#planOf(type)
    if ('slow' in plan) return plan.slow
    if (this.#input.bytes !== raw.bytes) this.#input = new WireInput(raw.bytes)
    const input = this.#input
    const { length } = this.#builder
    const end = raw.valueEnd[i] as number
    input.values = 0
    input.unknownFields = 0
    const isRow = readMessage(input, plan.root, this.#locator.start, end, 0) === end
    const dropped = plan.discarded.length > 0 ? this.#discard(plan, isRow) : 0
    if (isRow) this.#rows.add(i, input.unknownFields + dropped)
    else this.#builder.truncate(length)
    return isRow ? undefined : 'value'
  }

  finish(): FinishedRows {
    // The reader may be idle for long: it holds no batch.
    this.#input = new WireInput(new Uint8Array())
    this.#locator.reset()
    return this.#rows.finish(this.#droppedPaths)
  }

  /** Returns why messages of a type need objects; empty if they do not. */
  reasonsOf(type: Type): readonly ObjectReason[] {
    if (this.#rows.isRefusing) return [UNPROVEN_RULES]
    const plan = this.#planOf(type)
    return 'slow' in plan ? plan.reasons : []
  }

  #planOf(type: Type): MessageColumnPlan | NoPlan {
    const plan = this.#plans.get(type) ?? columnPlanOf(type.message, this.#builder, this.#options)
    this.#plans.set(type, plan)
    this.#last = { type, plan }
    return plan
  }

  /** Drops the values of fields without a column; returns how many fields that are, if they are counted. */
  #discard({ discarded, dropping }: MessageColumnPlan, isRow: boolean): number {
    let count = 0
    for (const builder of discarded) builder.truncate(0)
    for (const plan of dropping) {
      const messages = plan.turn - plan.turnsCounted
      plan.turnsCounted = plan.turn
      if (!isRow || messages === 0) continue
      count += messages * plan.droppedPaths.length
      for (const path of plan.droppedPaths) this.#droppedPaths.add(path)
    }
    return count
  }
}
