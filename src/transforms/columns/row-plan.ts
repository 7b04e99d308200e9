import { builderOf } from '../../arrow/builder.ts'
import { type Column, isNull, type StructColumn } from '../../arrow/column.ts'
import { nullColumnOf } from '../../arrow/sparse/null-column.ts'
import type { StructField, StructType } from '../../core/schema.ts'
import type { SourceValues } from '../../formats/sources.ts'
import { isEqualType } from './message-columns.ts'
import { ResultColumn } from './result-column.ts'
import { NotOnColumns } from './expression.ts'
import type { ValueVector } from './value-vector.ts'

/** Makes one column of rows. */
export type ColumnPlan =
  | { readonly kind: 'same'; readonly index: number }
  | { readonly kind: 'null'; readonly field: StructField }
  | { readonly kind: 'result'; readonly transform: number; readonly column: ResultColumn }
  | {
      readonly kind: 'struct'
      readonly field: StructField
      /** The struct of the message, or -1 when only results make it. */
      readonly index: number
      readonly children: readonly ColumnPlan[]
      /** True when a field of the struct is removed: an object that becomes empty is removed as well. */
      readonly removed: readonly number[]
    }

/** Says what transforms do with the fields of messages, by paths of rows. */
export interface RowChanges {
  /** Final path of each transform; `undefined` for a result that is removed again. */
  readonly results: readonly (readonly string[] | undefined)[]
  /** Destination of each transform in messages. */
  readonly replaced: readonly (readonly string[])[]
  /** Paths of removed fields with the index of the source that is at the path. */
  readonly drops: readonly { readonly path: readonly string[]; readonly source: number }[]
  /** New names of renamed columns by old names. */
  readonly renames: ReadonlyMap<string, string>
}

/**
 * Plans the columns of rows from those of messages.
 * @throws NotOnColumns when a column of rows is neither one of messages nor a result that columns support
 */
export function planRow(
  rows: StructType,
  messages: StructType | undefined,
  changes: RowChanges,
  at: readonly string[] = [],
): readonly ColumnPlan[] {
  return rows.fields.map((field): ColumnPlan => {
    const path = [...at, field.name]
    const transform = changes.results.findIndex((result) => result !== undefined && isPath(result, path))
    if (transform >= 0) {
      if (!ResultColumn.supports(field.type))
        throw new NotOnColumns(`results for the column ${path.join('.')} are converted as objects`)
      const column = new ResultColumn(builderOf(field.type), field.nullable)
      return { kind: 'result', transform, column }
    }
    const isMoved = at.length === 0 && changes.renames.has(field.name)
    if (isMoved || changes.drops.some((drop) => isPath(drop.path, path))) return plannedNull(field, path)
    const index = messages?.fields.findIndex(({ name }) => name === nameBefore(field.name, at, changes)) ?? -1
    const message = messages?.fields[index]
    const isSame =
      message !== undefined && message.nullable === field.nullable && isEqualType(message.type, field.type)
    if (isSame && !isChanged(path, changes)) return { kind: 'same', index }
    if (typeof field.type === 'string' || field.type.type !== 'struct')
      throw new NotOnColumns(`the column ${path.join('.')} has another type in messages`)
    const inner = message?.type
    if (inner !== undefined && (typeof inner === 'string' || inner.type !== 'struct'))
      throw new NotOnColumns(`the column ${path.join('.')} is not an object in messages`)
    const children = planRow(field.type, inner, changes, path)
    const removed = changes.drops.flatMap(({ path: dropped, source }) =>
      dropped.length > path.length && isPath(dropped.slice(0, path.length), path) ? [source] : [],
    )
    return { kind: 'struct', field, index, children, removed }
  })
}

/** Returns the paths of the fields of messages that are in no column of rows and that no step replaces or removes. */
export function unusedFields(
  messages: StructType,
  plans: readonly ColumnPlan[],
  changes: RowChanges,
  at: readonly string[] = [],
): readonly (readonly string[])[] {
  return messages.fields.flatMap(({ name, type }, index) => {
    const path = [...at, name]
    const plan = plans.find((one) => (one.kind === 'same' || one.kind === 'struct') && one.index === index)
    if (plan?.kind === 'struct' && typeof type !== 'string' && type.type === 'struct')
      return unusedFields(type, plan.children, changes, path)
    const isChangedAway =
      changes.replaced.some((replaced) => isPath(replaced, path)) ||
      changes.drops.some((drop) => isPath(drop.path, path))
    return plan !== undefined || isChangedAway ? [] : [path]
  })
}

function plannedNull(field: StructField, path: readonly string[]): ColumnPlan {
  if (!field.nullable) throw new NotOnColumns(`the column ${path.join('.')} is removed and NOT NULL`)
  return { kind: 'null', field }
}

function isPath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index])
}

function isChanged(path: readonly string[], { results, drops }: RowChanges): boolean {
  const isInside = (other: readonly string[] | undefined): boolean =>
    other !== undefined && other.length > path.length && isPath(other.slice(0, path.length), path)
  return results.some(isInside) || drops.some((drop) => isInside(drop.path))
}

function nameBefore(name: string, at: readonly string[], { renames }: RowChanges): string {
  if (at.length > 0) return name
  for (const [from, to] of renames) if (to === name) return from
  return name
}

/** Holds what the columns of a batch are made from; all are equally long. */
export interface RowParts {
  /** Columns of the messages. */
  readonly messages: readonly Column[]
  readonly results: readonly ValueVector[]
  readonly length: number
  /** Marks the rows that must be made from objects. */
  readonly suspect: Uint8Array
  /** Sources of the messages, with `rows[i]` the row of value `i` in them. */
  readonly sources: readonly SourceValues[]
  readonly rows: Int32Array
}

/** Returns the planned columns of a batch. */
export function buildColumns(plans: readonly ColumnPlan[], parts: RowParts): Column[] {
  return plans.map((plan) => buildColumn(plan, parts))
}

function buildColumn(plan: ColumnPlan, parts: RowParts): Column {
  switch (plan.kind) {
    case 'same':
      return parts.messages[plan.index] as Column
    case 'null':
      return nullColumnOf(plan.field.type, parts.length)
    case 'result':
      return plan.column.build(parts.results[plan.transform] as ValueVector, parts.suspect)
    case 'struct':
      return buildStruct(plan, parts)
  }
}

function buildStruct(plan: ColumnPlan & { readonly kind: 'struct' }, parts: RowParts): Column {
  const { field, index, removed } = plan
  const { length, suspect } = parts
  const message = parts.messages[index] as StructColumn | undefined
  const children = buildColumns(plan.children, { ...parts, messages: message?.children ?? [] })
  const required = requiredOf(field, children)
  const valid = new Uint8Array(length)
  let nulls = 0
  for (let i = 0; i < length; i++) {
    const wasValid = message !== undefined && !isNull(message, i)
    const isEmpty = !hasValue(children, i)
    valid[i] = wasValid || !isEmpty ? 1 : 0
    if (valid[i] === 0) nulls++
    // Whether the object became empty depends on fields that columns do not show.
    if ((wasValid && isEmpty && wasRemoved(removed, parts, i)) || (valid[i] === 0 && !field.nullable))
      suspect[i] = 1
    // A new object lacks the fields that only the message could have given.
    if (valid[i] === 1 && !wasValid && required.some((child) => isNull(child, i))) suspect[i] = 1
  }
  return { kind: 'struct', type: field.type, length, children, valid: nulls === 0 ? undefined : valid }
}

/** Returns the columns of a struct that are NOT NULL. */
function requiredOf({ type }: StructField, children: readonly Column[]): readonly Column[] {
  const fields = typeof type !== 'string' && type.type === 'struct' ? type.fields : []
  return children.filter((_, index) => fields[index]?.nullable === false)
}

function hasValue(children: readonly Column[], i: number): boolean {
  for (const child of children) if (!isNull(child, i)) return true
  return false
}

function wasRemoved(removed: readonly number[], { sources, rows }: RowParts, i: number): boolean {
  for (const source of removed) if (sources[source]?.kinds[rows[i] as number] !== 0) return true
  return false
}
