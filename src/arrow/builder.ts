import { isMessageObject } from '../core/exact.ts'
import type { ArrayType, DataType, MapType, StructField, StructType } from '../core/schema.ts'
import type { Column, Columns } from './column.ts'
import { fixedLayoutOf } from './column.ts'
import { BytesBuilder } from './bytes-builder.ts'
import { FixedBuilder } from './fixed-builder.ts'
import { Offsets, Validity } from './validity.ts'
import { describeValue, type ColumnBuilder } from './column-builder.ts'

/** Creates a builder for a Delta type. */
export function builderOf(type: DataType): AnyBuilder {
  if (typeof type !== 'string') {
    switch (type.type) {
      case 'struct':
        return new StructBuilder(type)
      case 'array':
        return new ListBuilder(type)
      case 'map':
        return new MapBuilder(type)
    }
  }
  return fixedLayoutOf(type) === undefined ? new BytesBuilder(type) : new FixedBuilder(type)
}

/** An `AnyBuilder` is one of the builders, distinguished by `kind`. */
export type AnyBuilder = FixedBuilder | BytesBuilder | StructBuilder | ListBuilder | MapBuilder

/** A `LaggingBuilder` is the builder of a leaf column, to which nulls can be appended later. */
export type LaggingBuilder = FixedBuilder | BytesBuilder

/** Reads an own property: inherited ones such as `constructor` are not fields of a record. */
function fieldOf(row: object, name: string): unknown {
  return Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined
}

/** Returns the fault of a part of a value: the pointer to it begins with `step`. */
function faultBelow(step: string | number, fault: string): string {
  return `/${step}${fault.startsWith('/') ? '' : ' '}${fault}`
}

/**
 * `AbsentValues` holds the values of fields that a row lacks, by name and in the form that builders accept. Other
 * absent fields become null.
 */
export type AbsentValues = ReadonlyMap<string, () => unknown>

/** Builds structs and, at the root of a table, rows. Fields that the schema lacks are ignored. */
export class StructBuilder implements ColumnBuilder {
  readonly kind = 'struct'
  readonly type: StructType
  readonly fields: readonly StructField[]
  readonly children: readonly AnyBuilder[]
  readonly #valid = new Validity()
  #length = 0
  readonly #absent: readonly ((() => unknown) | undefined)[]
  /** Positions of the children that need a look at the end of each row. */
  #checked: readonly number[]
  /** Children whose nulls are appended with the next value, or at the end of the batch. */
  #lagging: readonly (LaggingBuilder | undefined)[] = []

  /** Creates an empty builder. `absent` applies to the fields of this struct, not to nested ones. */
  constructor(type: StructType, absent?: AbsentValues) {
    this.type = type
    this.fields = type.fields
    this.#absent = type.fields.map((field) => absent?.get(field.name))
    this.children = type.fields.map((field) => builderOf(field.type))
    this.#checked = this.children.map((_, i) => i)
  }

  get length(): number {
    return this.#length
  }

  /**
   * Lets nullable children without a value of their own lag behind, so that a row costs nothing for the columns that it
   * lacks. Returns these children by position: before a value is appended to one, it must be padded to the length of
   * this builder.
   */
  letNullsLag(): readonly (LaggingBuilder | undefined)[] {
    this.#lagging = this.children.map((child, i) =>
      this.fields[i]?.nullable === true &&
      this.#absent[i] === undefined &&
      (child.kind === 'fixed' || child.kind === 'bytes')
        ? child
        : undefined,
    )
    this.#checked = this.#checked.filter((i) => this.#lagging[i] === undefined)
    return this.#lagging
  }

  append(value: unknown): string | undefined {
    if (value === null || value === undefined) {
      this.appendNull()
      return undefined
    }
    if (!isMessageObject(value)) return `expected an object, got ${describeValue(value)}`
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i] as StructField
      const child = this.children[i] as AnyBuilder
      const inner = fieldOf(value, field.name) ?? this.#absentIn(value, i)
      if (inner === null || inner === undefined) {
        if (!field.nullable) return `/${field.name} expected a value, got null`
        if (this.#lagging[i] !== undefined) continue
      }
      this.#lagging[i]?.padTo(this.#length)
      const fault = child.append(inner)
      if (fault !== undefined) return faultBelow(field.name, fault)
    }
    this.#length++
    return undefined
  }

  /**
   * Ends a row whose children were appended one by one; children without a value get their absent value or null.
   * Returns false if that value does not fit, such as null for a field that is not nullable: call `truncate`.
   */
  endRow(): boolean {
    const length = this.#length + 1
    for (const i of this.#checked) {
      const child = this.children[i] as AnyBuilder
      if (child.length >= length) continue
      const value = this.#absent[i]?.() ?? null
      if ((value === null && this.fields[i]?.nullable === false) || child.append(value) !== undefined)
        return false
    }
    this.#length++
    return true
  }

  /** Returns true when rows that lack child `i` get a value of their own instead of null. */
  hasAbsentValue(i: number): boolean {
    return this.#absent[i] !== undefined
  }

  /** Ends a row in which every child got its value. */
  endCompleteRow(): void {
    this.#length++
  }

  /** An explicit null is not an absent field. */
  #absentIn(value: object, index: number): unknown {
    const absent = this.#absent[index]
    if (absent === undefined) return undefined
    return fieldOf(value, (this.fields[index] as StructField).name) === null ? null : absent()
  }

  appendNull(): void {
    for (const i of this.#checked) (this.children[i] as AnyBuilder).appendNull()
    this.#valid.setNull(this.#length++)
  }

  truncate(length: number): void {
    for (const child of this.children) child.truncate(length)
    if (length >= this.#length) return
    this.#valid.truncate(length, this.#length)
    this.#length = length
  }

  finish(): Column {
    const length = this.#length
    this.#padAll()
    this.#length = 0
    return {
      kind: 'struct',
      type: this.type,
      length,
      children: this.children.map((child) => child.finish()),
      valid: this.#valid.finish(length),
    }
  }

  /** Returns the children as the columns of a table; for the root only. */
  finishColumns(): Columns {
    const length = this.#length
    this.#padAll()
    this.#valid.finish(length)
    this.#length = 0
    return { schema: this.type, length, columns: this.children.map((child) => child.finish()) }
  }

  #padAll(): void {
    for (const child of this.#lagging) child?.padTo(this.#length)
  }
}

/** Builds arrays. */
export class ListBuilder implements ColumnBuilder {
  readonly kind = 'list'
  readonly type: ArrayType
  readonly child: AnyBuilder
  readonly #offsets = new Offsets()

  constructor(type: ArrayType) {
    this.type = type
    this.child = builderOf(type.elementType)
  }

  get length(): number {
    return this.#offsets.length
  }

  append(value: unknown): string | undefined {
    if (value === null || value === undefined) {
      this.appendNull()
      return undefined
    }
    if (!Array.isArray(value)) return `expected an array, got ${describeValue(value)}`
    for (let i = 0; i < value.length; i++) {
      const element: unknown = value[i]
      if ((element === null || element === undefined) && !this.type.containsNull)
        return `/${i} expected a value, got null`
      const fault = this.child.append(element)
      if (fault !== undefined) return faultBelow(i, fault)
    }
    this.end(1)
    return undefined
  }

  /** Ends a list whose elements were appended to `child`. */
  end(valid: 0 | 1): void {
    this.#offsets.push(valid, this.child.length)
  }

  appendNull(): void {
    this.end(0)
  }

  truncate(length: number): void {
    this.child.truncate(this.#offsets.truncate(length))
  }

  finish(): Column {
    return { kind: 'list', type: this.type, child: this.child.finish(), ...this.#offsets.finish() }
  }
}

/** Builds maps; a JSON object becomes entries in its own order. */
export class MapBuilder implements ColumnBuilder {
  readonly kind = 'map'
  readonly type: MapType
  readonly keys: AnyBuilder
  readonly values: AnyBuilder
  readonly #offsets = new Offsets()

  constructor(type: MapType) {
    this.type = type
    this.keys = builderOf(type.keyType)
    this.values = builderOf(type.valueType)
  }

  get length(): number {
    return this.#offsets.length
  }

  append(value: unknown): string | undefined {
    if (value === null || value === undefined) {
      this.appendNull()
      return undefined
    }
    if (!isMessageObject(value)) return `expected an object, got ${describeValue(value)}`
    for (const [key, inner] of value instanceof Map ? value : Object.entries(value)) {
      if ((inner === null || inner === undefined) && !this.type.valueContainsNull)
        return `/${String(key)} expected a value, got null`
      const fault = this.keys.append(key) ?? this.values.append(inner)
      if (fault !== undefined) return faultBelow(String(key), fault)
    }
    this.end(1)
    return undefined
  }

  /** Ends a map whose entries were appended to `keys` and `values`. */
  end(valid: 0 | 1): void {
    this.#offsets.push(valid, this.values.length)
  }

  appendNull(): void {
    this.end(0)
  }

  truncate(length: number): void {
    const entries = this.#offsets.truncate(length)
    this.keys.truncate(entries)
    this.values.truncate(entries)
  }

  finish(): Column {
    return {
      kind: 'map',
      type: this.type,
      keys: this.keys.finish(),
      values: this.values.finish(),
      ...this.#offsets.finish(),
    }
  }
}
