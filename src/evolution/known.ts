import { isLoose, LOOSE_METADATA } from '../contract/json-schema/delta-type.ts'
import { type DataType, fieldNamed, type StructField, type StructType } from '../core/schema.ts'
import type { SchemaEvolution } from './policy.ts'

/** Where a column of rows comes from when it is none of the contract; stands in the field's metadata. */
const ORIGIN = 'kafka-delta.origin'

/** The marks of `ORIGIN`: a column that the table has beyond the contract, or one that only messages have shown so far. */
export type Origin = 'table' | 'messages'

/** The origin of a column; `undefined` for one of the contract, and for fields below a column that has one. */
export function originOf(field: StructField): Origin | undefined {
  return field.metadata[ORIGIN] as Origin | undefined
}

/** A nullable column that messages have shown. */
export function shownField(name: string, type: DataType): StructField {
  return { name, type, nullable: true, metadata: { [ORIGIN]: 'messages' } }
}

/** What the columns of rows are made of. */
export interface KnownSources {
  /** The columns of the contract; absent where the table takes its place. */
  readonly contract: StructType | undefined
  readonly table: StructType
  /** The columns so far: those that only messages have shown are kept. */
  readonly before: StructType | undefined
  readonly policy: SchemaEvolution
  /** Whether a column of the table, by its name in lower case, is filled by others than the messages. */
  readonly hidden: (folded: string) => boolean
}

/**
 * The columns that messages fill: those of the contract in its spelling, what the table has beyond them, and what messages
 * have shown. NOT NULL is the table's. Under `rescue` and `none` columns of the contract that the table lacks are left
 * out; under `rescue` types are the table's, so that what does not fit them can be rescued.
 */
export function knownColumns(sources: KnownSources): StructType {
  const { contract, table, before, policy, hidden } = sources
  const fits = new Known(policy)
  const fields = table.fields.filter(({ name }) => !hidden(name.toLowerCase()))
  return fits.struct(contract, { type: 'struct', fields }, before, true)
}

/** Whether the table makes values for the column where rows have none. Spec: "Generated Columns". */
export function isGenerated({ metadata }: StructField): boolean {
  return Object.hasOwn(metadata, 'delta.generationExpression')
}

function mayBeNull(field: StructField | undefined): boolean {
  return field === undefined || field.nullable || isGenerated(field)
}

class Known {
  readonly #policy: SchemaEvolution

  constructor(policy: SchemaEvolution) {
    this.#policy = policy
  }

  struct(ours?: StructType, table?: StructType, before?: StructType, isRoot = false): StructType {
    const fields: StructField[] = []
    const names = new Set<string>()
    const add = (field: StructField): void => {
      if (names.has(field.name.toLowerCase())) return
      names.add(field.name.toLowerCase())
      fields.push(field)
    }
    for (const field of ours?.fields ?? []) {
      const there = table && fieldNamed(table, field.name)
      if (there === undefined && table !== undefined && this.#drops()) continue
      const seen = before && fieldNamed(before, field.name)
      const type = this.#type(field.type, there?.type, seen?.type)
      const metadata = isLoose(field) ? LOOSE_METADATA : {}
      add({ name: field.name, type, nullable: mayBeNull(there), metadata })
    }
    for (const field of table?.fields ?? []) {
      const { name, type } = field
      const seen = before && fieldNamed(before, name)
      add({
        name,
        type: this.#type(undefined, type, seen?.type),
        nullable: mayBeNull(field),
        metadata: ours !== undefined || isRoot ? { [ORIGIN]: 'table' } : {},
      })
    }
    for (const field of before?.fields ?? []) if (originOf(field) === 'messages') add(field)
    return { type: 'struct', fields }
  }

  #drops(): boolean {
    return this.#policy === 'rescue' || this.#policy === 'none'
  }

  #type(ours: DataType | undefined, table: DataType | undefined, before: DataType | undefined): DataType {
    const [type] = [ours ?? table]
    if (type === undefined) throw new Error('Broken invariant: a column without a type')
    if (typeof type === 'string') return this.#policy === 'rescue' && table !== undefined ? table : type
    if (table !== undefined && (typeof table === 'string' || table.type !== type.type))
      return this.#policy === 'rescue' ? table : type
    const seen =
      before !== undefined && typeof before !== 'string' && before.type === type.type ? before : undefined
    switch (type.type) {
      case 'struct':
        return this.struct(
          ours as StructType | undefined,
          table as StructType | undefined,
          seen as StructType | undefined,
        )
      case 'array': {
        const there = table as typeof type | undefined
        return {
          type: 'array',
          elementType: this.#type(
            ours === undefined ? undefined : type.elementType,
            there?.elementType,
            (seen as typeof type | undefined)?.elementType,
          ),
          containsNull: there?.containsNull ?? true,
        }
      }
      case 'map': {
        const there = table as typeof type | undefined
        return {
          type: 'map',
          keyType: there?.keyType ?? type.keyType,
          valueType: this.#type(
            ours === undefined ? undefined : type.valueType,
            there?.valueType,
            (seen as typeof type | undefined)?.valueType,
          ),
          valueContainsNull: there?.valueContainsNull ?? true,
        }
      }
    }
  }
}
