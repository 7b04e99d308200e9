import { bytesMinOf } from '../read.ts'
import type { AvroNode } from '../schema.ts'
import type { SlowReason } from '../../format.ts'
import { isTextAt, readCount, readInt, readLength, readAvroLong, type AvroInput } from './input.ts'

/**
 * Describes how a value without a column is skipped. Skipping accepts exactly the bytes that the object reader accepts
 * and that need no allocation to check.
 */
export interface SkipPlan {
  readonly kind:
    | 'none'
    | 'boolean'
    | 'int'
    | 'long'
    | 'float'
    | 'double'
    | 'text'
    | 'bytes'
    | 'fixed'
    | 'enum'
    | 'list'
    | 'map'
    | 'union'
    | 'record'
    | 'refused'
  /** Bytes of a fixed, symbols of an enum, or the minimum bytes of an item. */
  readonly size: number
  readonly inner: readonly SkipPlan[]
  readonly reason: SlowReason
}

const NONE: readonly SkipPlan[] = []

function skipPlan(kind: SkipPlan['kind'], size = 0, inner = NONE, reason: SlowReason = 'value'): SkipPlan {
  return { kind, size, inner, reason }
}

/** Skips nothing: for fields without bytes. */
export const SKIP_NOTHING = skipPlan('none')

/** Leaves a record with the field to the object reader. */
export function skipNever(reason: SlowReason): SkipPlan {
  return skipPlan('refused', 0, NONE, reason)
}

/** Returns the plan that accepts null alone. */
export function skipNull(node: AvroNode): SkipPlan {
  if (node.kind === 'null') return SKIP_NOTHING
  if (node.kind !== 'union') return skipNever('field')
  return skipPlan('union', 0, node.branches.map(skipNull))
}

/** Returns true when no value can be skipped. */
export function isNeverSkipped({ kind, inner }: SkipPlan): boolean {
  if (kind === 'record') return inner.some(isNeverSkipped)
  return kind === 'refused' || (kind === 'union' && inner.every(isNeverSkipped))
}

/** Returns the plan that skips values of a type. `count` is called for each part and throws beyond their limit. */
export function skipPlanOf(node: AvroNode, count: () => void, open = new Set<AvroNode>()): SkipPlan {
  count()
  const inner = (each: AvroNode): SkipPlan => skipPlanOf(each, count, open)
  switch (node.kind) {
    case 'null':
      return SKIP_NOTHING
    case 'string':
      return skipPlan('text')
    case 'fixed':
      return skipPlan('fixed', node.size)
    case 'enum':
      return skipPlan('enum', node.symbols.length)
    case 'array':
      return skipPlan('list', bytesMinOf(node.items), [inner(node.items)])
    case 'map':
      return skipPlan('map', 1, [inner(node.values)])
    case 'union':
      return skipPlan('union', 0, node.branches.map(inner))
    case 'record': {
      // The depth of values within themselves is limited by the object reader.
      if (open.has(node)) return skipNever('value')
      open.add(node)
      const fields = node.fields.map((field) => inner(field.node))
      open.delete(node)
      return skipPlan('record', 0, fields)
    }
    default:
      return skipPlan(node.kind)
  }
}

/** Skips a value at `at`. Returns the position after it, or -1 when the object reader must read the record. */
export function skipAvroValue(input: AvroInput, plan: SkipPlan, at: number): number {
  switch (plan.kind) {
    case 'none':
      return at
    case 'text': {
      at = readLength(input, at)
      if (at < 0) return -1
      const end = at + input.low
      return isTextAt(input, at, end) ? end : -1
    }
    case 'int':
      return readInt(input, at)
    case 'long':
      return readAvroLong(input, at)
    case 'boolean':
      return at < input.end && (input.bytes[at] as number) <= 1 ? at + 1 : -1
    case 'bytes':
      at = readLength(input, at)
      return at < 0 ? -1 : at + input.low
    case 'fixed':
      return plan.size <= input.end - at ? at + plan.size : -1
    case 'float':
      return at + 4 <= input.end && Number.isFinite(input.view.getFloat32(at, true)) ? at + 4 : -1
    case 'double':
      return at + 8 <= input.end && Number.isFinite(input.view.getFloat64(at, true)) ? at + 8 : -1
    case 'enum':
      at = readInt(input, at)
      return at >= 0 && input.low >= 0 && input.low < plan.size ? at : -1
    case 'union': {
      at = readInt(input, at)
      const branch = at < 0 || input.low < 0 ? undefined : plan.inner[input.low]
      return branch === undefined ? -1 : skipAvroValue(input, branch, at)
    }
    case 'record':
      for (const field of plan.inner) {
        at = skipAvroValue(input, field, at)
        if (at < 0) return -1
      }
      return at
    case 'list':
    case 'map':
      return skipItems(input, plan, at)
    case 'refused':
      input.reason = plan.reason
      return -1
  }
}

function skipItems(input: AvroInput, { kind, size, inner }: SkipPlan, at: number): number {
  const [value] = inner
  if (value === undefined) return -1
  for (;;) {
    at = readCount(input, size, at)
    if (at < 0) return -1
    let count = input.low
    if (count === 0) return at
    while (count-- > 0) {
      if (kind === 'map') {
        at = readLength(input, at)
        if (at < 0) return -1
        const end = at + input.low
        if (!isTextAt(input, at, end)) return -1
        at = end
      }
      at = skipAvroValue(input, value, at)
      if (at < 0) return -1
    }
  }
}
