import { PipelineError } from '../../core/errors.ts'
import type { ArrayType, DataType, MapType, StructField, StructType } from '../../core/schema.ts'
import { findField, containsType, typeName } from '../../core/schema.ts'
import { isWider } from '../../core/widening.ts'
import type { Metadata, MetadataAction, Protocol } from '../protocol/actions.ts'
import { columnsReadBy, constraintsOf } from '../constraints/constraints.ts'
import { NewFieldFactory } from './new-fields.ts'
import { writerFeaturesOf } from '../protocol/protocol.ts'

import { serialiseSchema } from './schema-json.ts'
import type { TableShape } from '../protocol/table-shape.ts'
import { isPropertySet } from '../protocol/table-properties.ts'
import { withReaderFeature } from '../protocol/upgrade.ts'

/** Says which changes of the table schema are allowed so that rows fit it. */
export interface EvolutionRules {
  /** Adds columns that the table lacks; a name adds only that top-level column. */
  readonly add: boolean | string
  /** Widens column types where the table's feature and property allow it. */
  readonly widen: boolean
  /**
   * Accepts rows of type `from` for a column of type `to` because they are cast later. By default only lossless
   * widening is accepted.
   */
  readonly casts?: (from: DataType, to: DataType) => boolean
}

/** Holds the actions that change a table's schema, and the table after them. */
export interface TableEvolution {
  readonly metadata: MetadataAction
  readonly protocol?: Protocol
  /** The table after the change. */
  readonly shape: TableShape
}

/**
 * Returns the change of the table that rows of type `wanted` need, or `undefined` if they fit it unchanged. Column
 * names are compared without case. New columns come last in their struct and are nullable at every depth; a column that
 * was dropped before is added as a new one. Columns that only the table has stay unchanged. Spec: "Type Widening",
 * "Writer Requirements for Column Mapping", "Timestamp without timezone (TimestampNtz)".
 * @throws KD_SCHEMA_MISMATCH with all faults: the column, the expected type and the actual type
 */
export function evolveTable(
  shape: TableShape,
  wanted: StructType,
  rules: EvolutionRules,
): TableEvolution | undefined {
  const merge = new SchemaMerge(shape, rules)
  const schema = merge.columns(wanted)
  if (merge.faults.length > 0) {
    throw new PipelineError('KD_SCHEMA_MISMATCH', merge.faults.join('; '))
  }
  const { schema: before, ...rest } = shape.metadata
  if (schema === before) return undefined
  const ntz =
    containsType(schema, 'timestamp_ntz') && !writerFeaturesOf(shape.protocol).includes('timestampNtz')
  const protocol = ntz ? withReaderFeature(shape.protocol, 'timestampNtz') : undefined
  const metadata: MetadataAction = {
    ...rest,
    format: shape.metadata.format ?? { provider: 'parquet', options: {} },
    schemaString: serialiseSchema(schema),
    configuration: merge.added.configuration(),
  }
  return {
    metadata,
    ...(protocol === undefined ? {} : { protocol }),
    shape: { protocol: protocol ?? shape.protocol, metadata: { ...metadata, schema } },
  }
}

/** Records a change of type in the metadata of the enclosing field. Spec: "Type Change Metadata". */
interface TypeChange {
  readonly fromType: string
  readonly toType: string
  readonly fieldPath?: string
}

/** Locates a type within a field, and collects the type changes of the field. */
interface TypePosition {
  /** Names of the struct fields, and the steps between them, from the top-level column on. */
  readonly path: readonly string[]
  /** Steps `element`, `key` and `value` below the nearest struct field. */
  readonly within: readonly string[]
  readonly changes: TypeChange[]
}

/** Merges the columns of rows into a table schema and collects all faults. */
class SchemaMerge {
  readonly faults: string[] = []
  readonly added: NewFieldFactory
  readonly #metadata: Metadata
  readonly #rules: EvolutionRules
  readonly #widens: boolean

  constructor({ protocol, metadata }: TableShape, rules: EvolutionRules) {
    this.#metadata = metadata
    this.#rules = rules
    this.added = new NewFieldFactory(protocol, metadata)
    this.#widens =
      rules.widen &&
      writerFeaturesOf(protocol).includes('typeWidening') &&
      isPropertySet(metadata.configuration, 'delta.enableTypeWidening')
  }

  columns(wanted: StructType): StructType {
    const { schema, partitionColumns } = this.#metadata
    for (const name of partitionColumns) {
      const ours = findField(wanted, name)
      const theirs = findField(schema, name)
      // Partition values are stored in the log as text that is made from the row values, so their types must match
      // exactly.
      if (ours === undefined || theirs === undefined || typeName(ours.type) === typeName(theirs.type))
        continue
      this.#misfit(name, theirs.type, ours.type, ', and the table is partitioned by it')
    }
    return this.#struct(schema, wanted, [])
  }

  #struct(table: StructType, wanted: StructType, parents: readonly string[]): StructType {
    const fields = table.fields.map((field) => {
      const ours = findField(wanted, field.name)
      return ours === undefined ? field : this.#field(field, ours, parents)
    })
    const known = new Set(table.fields.map(({ name }) => name.toLowerCase()))
    const path = parents.map((name) => `${name}.`).join('')
    for (const field of wanted.fields) {
      const folded = field.name.toLowerCase()
      if (known.has(folded)) continue
      known.add(folded)
      if (this.#mayAdd(field, path)) fields.push(this.added.create(field, path, this.faults))
      else this.faults.push(`column ${path}${field.name} is not in the table`)
    }
    const same =
      fields.length === table.fields.length && fields.every((field, at) => field === table.fields[at])
    return same ? table : { type: 'struct', fields }
  }

  #mayAdd({ name }: StructField, path: string): boolean {
    const { add } = this.#rules
    return typeof add === 'boolean' ? add : path === '' && name === add
  }

  #field(table: StructField, { type: wanted }: StructField, parents: readonly string[]): StructField {
    const changes: TypeChange[] = []
    const type = this.#type(table.type, wanted, { path: [...parents, table.name], within: [], changes })
    if (type === table.type) return table
    if (changes.length === 0) return { ...table, type }
    const before = (table.metadata['delta.typeChanges'] ?? []) as readonly unknown[]
    return { ...table, type, metadata: { ...table.metadata, 'delta.typeChanges': [...before, ...changes] } }
  }

  #type(table: DataType, wanted: DataType, place: TypePosition): DataType {
    if (typeof table === 'string' || typeof wanted === 'string' || table.type !== wanted.type) {
      return this.#leaf(table, wanted, place)
    }
    switch (table.type) {
      case 'struct':
        return this.#struct(table, wanted as StructType, place.path)
      case 'array': {
        const elementType = this.#inner(
          table.elementType,
          (wanted as ArrayType).elementType,
          'element',
          place,
        )
        return elementType === table.elementType ? table : { ...table, elementType }
      }
      case 'map': {
        const keyType = this.#inner(table.keyType, (wanted as MapType).keyType, 'key', place)
        const valueType = this.#inner(table.valueType, (wanted as MapType).valueType, 'value', place)
        const same = keyType === table.keyType && valueType === table.valueType
        return same ? table : { ...table, keyType, valueType }
      }
    }
  }

  #inner(table: DataType, wanted: DataType, step: string, place: TypePosition): DataType {
    return this.#type(table, wanted, {
      path: [...place.path, step],
      within: [...place.within, step],
      changes: place.changes,
    })
  }

  #leaf(table: DataType, wanted: DataType, { path, within, changes }: TypePosition): DataType {
    const column = path.join('.')
    const from = typeName(table)
    const to = typeName(wanted)
    if (from === to || isWider(to, from) || this.#rules.casts?.(wanted, table) === true) return table
    if (typeof wanted !== 'string' || !isWider(from, to)) {
      this.#misfit(column, table, wanted)
      return table
    }
    const dependent = this.#dependentOn(path)
    if (!this.#widens || dependent !== undefined) {
      const why = dependent ?? 'delta.enableTypeWidening and its feature would let it be widened'
      this.#misfit(column, table, wanted, `; ${why}`)
      return table
    }
    const change = { fromType: from, toType: to }
    changes.push(within.length === 0 ? change : { ...change, fieldPath: within.join('.') })
    return wanted
  }

  /**
   * Names an expression of the table that depends on the column, or may because it cannot be compiled; the column's
   * type must not change then.
   */
  #dependentOn(column: readonly string[]): string | undefined {
    const dependent = constraintsOf(this.#metadata).find((constraint) =>
      (columnsReadBy(constraint, this.#metadata.schema) ?? [[]]).some((read) => isWithin(read, column)),
    )
    if (dependent === undefined) return undefined
    if (dependent.kind !== 'generated') return `${dependent.name} depends on it`
    return `the column ${(dependent.column ?? []).join('.')} is generated from it`
  }

  #misfit(column: string, table: DataType, wanted: DataType, why = ''): void {
    this.faults.push(
      `column ${column}: expected ${typeName(table)}, as the table has it, got ${typeName(wanted)}${why}`,
    )
  }
}

/** Returns true when one path is the other, or a part of it; names are compared without case. */
function isWithin(one: readonly string[], other: readonly string[]): boolean {
  const steps = Math.min(one.length, other.length)
  return Array.from({ length: steps }).every(
    (_, step) => one[step]?.toLowerCase() === other[step]?.toLowerCase(),
  )
}
