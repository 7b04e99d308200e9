import { PipelineError } from '../../core/errors.ts'
import type { ArrayType, DataType, MapType, StructField, StructType } from '../../core/schema.ts'
import { fieldNamed, holdsType, typeName } from '../../core/schema.ts'
import { isWider } from '../../core/widening.ts'
import type { Metadata, MetadataAction, Protocol } from '../protocol/actions.ts'
import { NewFields } from './new-fields.ts'
import { writerFeatures } from '../protocol/protocol.ts'

import { serialiseSchema } from './schema-json.ts'
import type { TableShape } from '../protocol/table-shape.ts'
import { withReaderFeature } from '../protocol/upgrade.ts'

/** What may become of a table so that rows fit it, and which rows do. */
export interface EvolveRules {
  /** Whether columns that the table lacks are added: a name of a top-level column says so for it alone. */
  readonly add: boolean | string
  /** Whether columns are widened where the table's feature allows it. */
  readonly widen: boolean
  /** Rows of the first type, which the table's column is not, that are cast to it; those that it holds exactly by default. */
  readonly casts?: (from: DataType, to: DataType) => boolean
}

/** What a commit must say of a table. */
export interface Evolution {
  readonly metadata: MetadataAction
  readonly protocol?: Protocol
  /** The table afterwards. */
  readonly shape: TableShape
}

/**
 * What must change for rows of the type `wanted` to fit the table; `undefined` where they fit it as it is. Columns are
 * the same whatever the case of their names. New ones come last in their struct, nullable at every depth; a column that
 * somebody dropped is new again. What the table has beyond `wanted` stays as it is.
 * @throws KD_SCHEMA_MISMATCH with every fault: the column, what was expected and what was got.
 * Spec: "Type Widening", "Writer Requirements for Column Mapping", "Timestamp without timezone (TimestampNtz)".
 */
export function evolve(shape: TableShape, wanted: StructType, rules: EvolveRules): Evolution | undefined {
  const merge = new Merge(shape, rules)
  const schema = merge.columns(wanted)
  if (merge.faults.length > 0) {
    throw new PipelineError('KD_SCHEMA_MISMATCH', merge.faults.join('; '))
  }
  const { schema: before, ...rest } = shape.metadata
  if (schema === before) return undefined
  const ntz = holdsType(schema, 'timestamp_ntz') && !writerFeatures(shape.protocol).includes('timestampNtz')
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

/** A change of type, for the metadata of the field above it. Spec: "Type Change Metadata". */
interface TypeChange {
  readonly fromType: string
  readonly toType: string
  readonly fieldPath?: string
}

/** Where in a field a type stands, and what is noted for the field. */
interface Place {
  /** Dotted, for people. */
  readonly column: string
  /** `element`, `key` and `value` below the nearest field. */
  readonly within: readonly string[]
  readonly changes: TypeChange[]
}

class Merge {
  readonly faults: string[] = []
  readonly added: NewFields
  readonly #metadata: Metadata
  readonly #rules: EvolveRules
  readonly #widens: boolean

  constructor({ protocol, metadata }: TableShape, rules: EvolveRules) {
    this.#metadata = metadata
    this.#rules = rules
    this.added = new NewFields(protocol, metadata)
    this.#widens =
      rules.widen &&
      writerFeatures(protocol).includes('typeWidening') &&
      metadata.configuration['delta.enableTypeWidening']?.toLowerCase() === 'true'
  }

  columns(wanted: StructType): StructType {
    const { schema, partitionColumns } = this.#metadata
    for (const name of partitionColumns) {
      const ours = fieldNamed(wanted, name)
      const theirs = fieldNamed(schema, name)
      // Their values stand in the log as text, made of what the rows hold.
      if (ours === undefined || theirs === undefined || typeName(ours.type) === typeName(theirs.type))
        continue
      this.#misfit(name, theirs.type, ours.type, ', and the table is partitioned by it')
    }
    return this.#struct(schema, wanted, '')
  }

  #struct(table: StructType, wanted: StructType, path: string): StructType {
    const fields = table.fields.map((field) => {
      const ours = fieldNamed(wanted, field.name)
      return ours === undefined ? field : this.#field(field, ours, path)
    })
    const known = new Set(table.fields.map(({ name }) => name.toLowerCase()))
    for (const field of wanted.fields) {
      const folded = field.name.toLowerCase()
      if (known.has(folded)) continue
      known.add(folded)
      if (this.#mayAdd(field, path)) fields.push(this.added.field(field, path, this.faults))
      else this.faults.push(`column ${path}${field.name} is not in the table`)
    }
    const same = fields.length === table.fields.length && fields.every((one, at) => one === table.fields[at])
    return same ? table : { type: 'struct', fields }
  }

  #mayAdd({ name }: StructField, path: string): boolean {
    const { add } = this.#rules
    return typeof add === 'boolean' ? add : path === '' && name === add
  }

  #field(table: StructField, { type: wanted }: StructField, path: string): StructField {
    const changes: TypeChange[] = []
    const type = this.#type(table.type, wanted, { column: path + table.name, within: [], changes })
    if (type === table.type) return table
    if (changes.length === 0) return { ...table, type }
    const before = (table.metadata['delta.typeChanges'] ?? []) as readonly unknown[]
    return { ...table, type, metadata: { ...table.metadata, 'delta.typeChanges': [...before, ...changes] } }
  }

  #type(table: DataType, wanted: DataType, place: Place): DataType {
    if (typeof table === 'string' || typeof wanted === 'string' || table.type !== wanted.type) {
      return this.#leaf(table, wanted, place)
    }
    switch (table.type) {
      case 'struct':
        return this.#struct(table, wanted as StructType, `${place.column}.`)
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

  #inner(table: DataType, wanted: DataType, step: string, place: Place): DataType {
    return this.#type(table, wanted, {
      column: `${place.column}.${step}`,
      within: [...place.within, step],
      changes: place.changes,
    })
  }

  #leaf(table: DataType, wanted: DataType, { column, within, changes }: Place): DataType {
    const from = typeName(table)
    const to = typeName(wanted)
    if (from === to || isWider(to, from) || this.#rules.casts?.(wanted, table) === true) return table
    if (typeof wanted !== 'string' || !isWider(from, to)) {
      this.#misfit(column, table, wanted)
      return table
    }
    const dependent = this.#dependentOn(column)
    if (!this.#widens || dependent !== undefined) {
      const why = dependent ?? 'delta.enableTypeWidening and its feature would let it be widened'
      this.#misfit(column, table, wanted, `; ${why}`)
      return table
    }
    const change = { fromType: from, toType: to }
    changes.push(within.length === 0 ? change : { ...change, fieldPath: within.join('.') })
    return wanted
  }

  /** An expression of the table that may depend on the column, whose type must not change then. */
  #dependentOn(column: string): string | undefined {
    const name = column.toLowerCase().split('.')[0] ?? ''
    const { schema, configuration } = this.#metadata
    const constraint = Object.entries(configuration).find(
      ([key, text]) => key.startsWith('delta.constraints.') && text.toLowerCase().includes(name),
    )
    if (constraint !== undefined) return `${constraint[0]} depends on it`
    const generated = schema.fields.find(({ metadata }) => {
      const expression = metadata['delta.generationExpression']
      return typeof expression === 'string' && expression.toLowerCase().includes(name)
    })
    return generated === undefined ? undefined : `the column ${generated.name} is generated from it`
  }

  #misfit(column: string, table: DataType, wanted: DataType, why = ''): void {
    this.faults.push(
      `column ${column}: expected ${typeName(table)}, as the table has it, got ${typeName(wanted)}${why}`,
    )
  }
}
