import type { ArrayType, DataType, MapType, StructField, StructType } from '../core/schema.ts'
import type { Column, Columns } from './column.ts'
import { fixedLayout } from './column.ts'
import { BytesBuilder } from './bytes-builder.ts'
import { FixedBuilder } from './fixed-builder.ts'
import { Validity, grown } from './validity.ts'
import { shown, type Builder } from './column-builder.ts'

/** A builder for a Delta type. */
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
  return fixedLayout(type) === undefined ? new BytesBuilder(type) : new FixedBuilder(type)
}

/** All builders that there are, told apart by `kind`. */
export type AnyBuilder = FixedBuilder | BytesBuilder | StructBuilder | ListBuilder | MapBuilder

/** An own property: `constructor` and its kin are no fields of a record that does not carry them. */
function fieldOf(row: object, name: string): unknown {
  return Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined
}

/** What fields become that a row does not have, by their names: values as builders take them. Null for any other. */
export type AbsentValues = ReadonlyMap<string, () => unknown>

/** Structs; at the root of a table, rows. Fields that the schema does not know are left out. */
export class StructBuilder implements Builder {
  readonly kind = 'struct'
  readonly type: StructType
  readonly fields: readonly StructField[]
  readonly children: readonly AnyBuilder[]
  readonly #valid = new Validity()
  readonly #absent: readonly ((() => unknown) | undefined)[]

  /** `absent` speaks of the fields of this struct alone, not of those within them. */
  constructor(type: StructType, absent?: AbsentValues) {
    this.type = type
    this.fields = type.fields
    this.#absent = type.fields.map((field) => absent?.get(field.name))
    this.children = type.fields.map((field) => builderOf(field.type))
  }

  get length(): number {
    return this.#valid.length
  }

  append(value: unknown): string | undefined {
    if (value === null || value === undefined) {
      this.appendNull()
      return undefined
    }
    if (typeof value !== 'object' || Array.isArray(value)) return `expected an object, got ${shown(value)}`
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i] as StructField
      const child = this.children[i] as AnyBuilder
      const inner = fieldOf(value, field.name) ?? this.#absentIn(value, i)
      if (!field.nullable && (inner === null || inner === undefined))
        return `/${field.name} expected a value, got null`
      const fault = child.append(inner)
      if (fault !== undefined) return `/${field.name}${fault.startsWith('/') ? '' : ' '}${fault}`
    }
    this.#valid.push(1)
    return undefined
  }

  /**
   * Ends a row whose children were appended one by one; children that got nothing become what is said of absent fields, or
   * null. Says false when that does not fit a child: `truncate`.
   */
  endRow(): boolean {
    const length = this.#valid.length + 1
    for (let i = 0; i < this.children.length; i++) {
      const child = this.children[i] as AnyBuilder
      if (child.length < length && child.append(this.#absent[i]?.()) !== undefined) return false
    }
    this.#valid.push(1)
    return true
  }

  /** A null that is there is no absent field. */
  #absentIn(value: object, index: number): unknown {
    const absent = this.#absent[index]
    if (absent === undefined) return undefined
    return fieldOf(value, (this.fields[index] as StructField).name) === null ? null : absent()
  }

  appendNull(): void {
    for (const child of this.children) child.appendNull()
    this.#valid.push(0)
  }

  truncate(length: number): void {
    for (const child of this.children) child.truncate(length)
    this.#valid.truncate(length)
  }

  finish(): Column {
    const { length } = this
    return {
      kind: 'struct',
      type: this.type,
      length,
      children: this.children.map((child) => child.finish()),
      valid: this.#valid.finish(),
    }
  }

  /** The children as a table's columns; for the root only. */
  finishColumns(): Columns {
    const { length } = this
    this.#valid.finish()
    return { schema: this.type, length, columns: this.children.map((child) => child.finish()) }
  }
}

/** Arrays. */
export class ListBuilder implements Builder {
  readonly kind = 'list'
  readonly type: ArrayType
  readonly child: AnyBuilder
  readonly #valid = new Validity()
  #offsets = new Int32Array(1024)

  constructor(type: ArrayType) {
    this.type = type
    this.child = builderOf(type.elementType)
  }

  get length(): number {
    return this.#valid.length
  }

  append(value: unknown): string | undefined {
    if (value === null || value === undefined) {
      this.appendNull()
      return undefined
    }
    if (!Array.isArray(value)) return `expected an array, got ${shown(value)}`
    for (let i = 0; i < value.length; i++) {
      const element: unknown = value[i]
      if (element === null && !this.type.containsNull) return `/${i} expected a value, got null`
      const fault = this.child.append(element)
      if (fault !== undefined) return `/${i}${fault.startsWith('/') ? '' : ' '}${fault}`
    }
    this.end(1)
    return undefined
  }

  /** Ends a list whose elements were appended to `child`. */
  end(valid: 0 | 1): void {
    this.#valid.push(valid)
    this.#offsets = grown(this.#offsets, this.#valid.length + 1)
    this.#offsets[this.#valid.length] = this.child.length
  }

  appendNull(): void {
    this.end(0)
  }

  truncate(length: number): void {
    if (length < this.#valid.length) this.#valid.truncate(length)
    this.child.truncate(this.#offsets[length] ?? 0)
  }

  finish(): Column {
    const { length } = this
    const offsets = this.#offsets.slice(0, length + 1)
    return {
      kind: 'list',
      type: this.type,
      length,
      offsets,
      child: this.child.finish(),
      valid: this.#valid.finish(),
    }
  }
}

/** Maps; a JSON object becomes entries in its own order. */
export class MapBuilder implements Builder {
  readonly kind = 'map'
  readonly type: MapType
  readonly keys: AnyBuilder
  readonly values: AnyBuilder
  readonly #valid = new Validity()
  #offsets = new Int32Array(1024)

  constructor(type: MapType) {
    this.type = type
    this.keys = builderOf(type.keyType)
    this.values = builderOf(type.valueType)
  }

  get length(): number {
    return this.#valid.length
  }

  append(value: unknown): string | undefined {
    if (value === null || value === undefined) {
      this.appendNull()
      return undefined
    }
    if (typeof value !== 'object' || Array.isArray(value)) return `expected an object, got ${shown(value)}`
    for (const [key, inner] of value instanceof Map ? value : Object.entries(value)) {
      if (inner === null && !this.type.valueContainsNull) return `/${String(key)} expected a value, got null`
      const fault = this.keys.append(key) ?? this.values.append(inner)
      if (fault !== undefined) return `/${String(key)}${fault.startsWith('/') ? '' : ' '}${fault}`
    }
    this.#end(1)
    return undefined
  }

  appendNull(): void {
    this.#end(0)
  }

  truncate(length: number): void {
    if (length < this.#valid.length) this.#valid.truncate(length)
    const entries = this.#offsets[length] ?? 0
    this.keys.truncate(entries)
    this.values.truncate(entries)
  }

  finish(): Column {
    const { length } = this
    const offsets = this.#offsets.slice(0, length + 1)
    const keys = this.keys.finish()
    return {
      kind: 'map',
      type: this.type,
      length,
      offsets,
      keys,
      values: this.values.finish(),
      valid: this.#valid.finish(),
    }
  }

  #end(valid: 0 | 1): void {
    this.#valid.push(valid)
    this.#offsets = grown(this.#offsets, this.#valid.length + 1)
    this.#offsets[this.#valid.length] = this.values.length
  }
}
