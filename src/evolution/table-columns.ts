import { acceptsAnyJson, ANY_JSON_METADATA } from '../contract/json-schema/delta-type.ts'
import { type DataType, findField, type StructField, type StructType } from '../core/schema.ts'
import type { SchemaEvolution } from './policy.ts'

/** Metadata key with the origin of a column that is not in the contract. */
const ORIGIN = 'kafka-delta.origin'

/** Names the origin of a column outside the contract: the table, a writer's schema, or only messages so far. */
type ColumnOrigin = 'table' | 'schema' | 'messages'

/**
 * Returns the origin of a column; `undefined` for columns of the contract and for fields nested in a column with an
 * origin.
 */
export function columnOriginOf(field: StructField): ColumnOrigin | undefined {
  return field.metadata[ORIGIN] as ColumnOrigin | undefined
}

/** Returns a nullable column inferred from messages. */
export function inferredField(name: string, type: DataType): StructField {
  return { name, type, nullable: true, metadata: { [ORIGIN]: 'messages' } }
}

/** Returns a nullable column that the schema of a message's writer describes. */
export function describedField(name: string, type: DataType, metadata: StructField['metadata']): StructField {
  return { name, type, nullable: true, metadata: { ...metadata, [ORIGIN]: 'schema' } }
}

/** Holds the sources that the columns of rows are merged from. */
interface ColumnSources {
  /** Columns of the contract; absent when the table defines them. */
  readonly contract: StructType | undefined
  readonly table: StructType
  /** The columns so far; those inferred only from messages are kept. */
  readonly previous: StructType | undefined
  readonly policy: SchemaEvolution
  /** Decides whether a column of the table, by its lower-case name, is filled by something other than the messages. */
  readonly isHidden: (folded: string) => boolean
}

/**
 * Merges the columns that messages fill: those of the contract in its spelling, the further columns of the table, and
 * those inferred from messages. NOT NULL is taken from the table. Under `rescue` and `none`, columns of the contract
 * that the table lacks are left out; under `rescue`, types are taken from the table, so that values that do not fit
 * can be rescued.
 */
export function mergeTableColumns(sources: ColumnSources): StructType {
  const { contract, table, previous, policy, isHidden } = sources
  const merge = new ColumnMerge(policy)
  const fields = table.fields.filter(({ name }) => !isHidden(name.toLowerCase()))
  return merge.struct(contract, { type: 'struct', fields }, previous, true)
}

/** Returns true when the table computes the column for rows that lack it. Spec: "Generated Columns". */
export function isGenerated({ metadata }: StructField): boolean {
  return Object.hasOwn(metadata, 'delta.generationExpression')
}

function isNullable(field: StructField | undefined): boolean {
  return field === undefined || field.nullable || isGenerated(field)
}

class ColumnMerge {
  readonly #policy: SchemaEvolution

  constructor(policy: SchemaEvolution) {
    this.#policy = policy
  }

  struct(contract?: StructType, table?: StructType, previous?: StructType, isRoot = false): StructType {
    const fields: StructField[] = []
    const names = new Set<string>()
    const add = (field: StructField): void => {
      if (names.has(field.name.toLowerCase())) return
      names.add(field.name.toLowerCase())
      fields.push(field)
    }
    for (const field of contract?.fields ?? []) {
      const inTable = table && findField(table, field.name)
      if (inTable === undefined && table !== undefined && this.#dropsMissing()) continue
      const inPrevious = previous && findField(previous, field.name)
      const type = this.#type(field.type, inTable?.type, inPrevious?.type)
      const metadata = acceptsAnyJson(field) ? ANY_JSON_METADATA : {}
      add({ name: field.name, type, nullable: isNullable(inTable), metadata })
    }
    for (const field of table?.fields ?? []) {
      const { name, type } = field
      const inPrevious = previous && findField(previous, name)
      add({
        name,
        type: this.#type(undefined, type, inPrevious?.type),
        nullable: isNullable(field),
        metadata: contract !== undefined || isRoot ? { [ORIGIN]: 'table' } : {},
      })
    }
    for (const field of previous?.fields ?? []) if (columnOriginOf(field) === 'messages') add(field)
    return { type: 'struct', fields }
  }

  #dropsMissing(): boolean {
    return this.#policy === 'rescue' || this.#policy === 'none'
  }

  #type(
    contract: DataType | undefined,
    table: DataType | undefined,
    previous: DataType | undefined,
  ): DataType {
    const [type] = [contract ?? table]
    if (type === undefined) throw new Error('Broken invariant: a column without a type')
    if (typeof type === 'string') return this.#policy === 'rescue' && table !== undefined ? table : type
    if (table !== undefined && (typeof table === 'string' || table.type !== type.type))
      return this.#policy === 'rescue' ? table : type
    const inPrevious =
      previous !== undefined && typeof previous !== 'string' && previous.type === type.type
        ? previous
        : undefined
    switch (type.type) {
      case 'struct':
        return this.struct(
          contract as StructType | undefined,
          table as StructType | undefined,
          inPrevious as StructType | undefined,
        )
      case 'array': {
        const inTable = table as typeof type | undefined
        return {
          type: 'array',
          elementType: this.#type(
            contract === undefined ? undefined : type.elementType,
            inTable?.elementType,
            (inPrevious as typeof type | undefined)?.elementType,
          ),
          containsNull: inTable?.containsNull ?? true,
        }
      }
      case 'map': {
        const inTable = table as typeof type | undefined
        return {
          type: 'map',
          keyType: inTable?.keyType ?? type.keyType,
          valueType: this.#type(
            contract === undefined ? undefined : type.valueType,
            inTable?.valueType,
            (inPrevious as typeof type | undefined)?.valueType,
          ),
          valueContainsNull: inTable?.valueContainsNull ?? true,
        }
      }
    }
  }
}
