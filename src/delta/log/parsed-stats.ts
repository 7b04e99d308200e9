import { parse } from 'lossless-json'
import { type AnyBuilder, builderOf } from '../../arrow/builder.ts'
import { decimalText } from '../../arrow/decimal.ts'
import { formatDate, formatDateTime } from '../../arrow/time.ts'
import { ExactNumber } from '../../core/exact.ts'
import { type DataType, decimalOf, type StructField, type StructType } from '../../core/schema.ts'
import type { IndexedColumns } from '../../parquet/statistics.ts'
import type { Add } from '../protocol/actions.ts'
import { type ColumnMapping, columnMappingOf } from '../schema/column-mapping.ts'
import { parsePartitionValue } from '../statistics/partition-values.ts'
import { isPlainObject } from '../statistics/stats.ts'
import { statsColumnsOf } from '../statistics/stats-columns.ts'
import type { TableShape } from '../protocol/table-shape.ts'

/** Types whose values have minimum and maximum statistics. Spec: "Per-file Statistics" (`minValues`, `maxValues`). */
const ORDERED: ReadonlySet<DataType> = new Set([
  'string',
  'byte',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'date',
  'timestamp',
  'timestamp_ntz',
])

/**
 * Builds the typed fields of `add` in a checkpoint, which `delta.checkpoint.writeStatsAsStruct` enables:
 * `partitionValues_parsed` and `stats_parsed`, under physical names. Spec: "Checkpoints", "Checkpoint Schema".
 */
export class ParsedAddFields {
  readonly fields: readonly StructField[]
  readonly #partitions: readonly { readonly name: string; readonly type: DataType }[]
  readonly #stats: StructType
  readonly #checks = new Map<DataType, AnyBuilder>()

  constructor(table: TableShape) {
    const { protocol, metadata } = table
    const mapping = columnMappingOf(protocol, metadata)
    const isPartition = ({ name }: StructField): boolean => metadata.partitionColumns.includes(name)
    this.#partitions = metadata.schema.fields
      .filter(isPartition)
      .map((field) => ({ name: mapping.physicalName(field), type: field.type }))
    const data = metadata.schema.fields.filter((field) => !isPartition(field))
    const indexed = indexedFields(data, mapping, statsColumnsOf(table, mapping))
    const ordered = mapLeaves(indexed, (type) => (isOrdered(type) ? type : undefined))
    const counted = mapLeaves(indexed, () => 'long')
    this.#stats = struct([
      ['numRecords', 'long'],
      ...(ordered.fields.length === 0 ? [] : ([['minValues', ordered]] as const)),
      ...(ordered.fields.length === 0 ? [] : ([['maxValues', ordered]] as const)),
      ...(counted.fields.length === 0 ? [] : ([['nullCount', counted]] as const)),
      ['tightBounds', 'boolean'],
    ])
    this.fields = [
      // Parquet does not allow a struct without fields.
      ...(this.#partitions.length === 0
        ? []
        : struct([
            [
              'partitionValues_parsed',
              struct(this.#partitions.map(({ name, type }) => [name, type] as const)),
            ],
          ]).fields),
      ...struct([['stats_parsed', this.#stats]]).fields,
    ]
  }

  /**
   * Returns the values of the fields for one file.
   * @throws KD_TABLE_CORRUPT for a partition value that does not match its type
   */
  valuesOf(add: Add): Readonly<Record<string, unknown>> {
    const partitions = this.#partitions.map(({ name, type }) => [
      name,
      jsonLike(add.partitionValues[name] ?? null, type),
    ])
    const stats = statsOf(add.stats)
    return {
      partitionValues_parsed: Object.fromEntries(partitions) as unknown,
      ...(stats === undefined ? {} : { stats_parsed: this.#representable(stats, this.#stats) }),
    }
  }

  /**
   * Returns the value converted to the type, with null for parts that cannot be represented: a missing bound is always
   * correct.
   */
  #representable(value: unknown, type: DataType): unknown {
    if (value === null || value === undefined) return null
    if (typeof type !== 'string' && type.type === 'struct') {
      if (!isPlainObject(value)) return null
      return Object.fromEntries(
        type.fields.map(({ name, type: inner }) => {
          const held = Object.hasOwn(value, name) ? value[name] : undefined
          return [name, this.#representable(held, inner)]
        }),
      )
    }
    const check = this.#checks.get(type) ?? builderOf(type)
    this.#checks.set(type, check)
    const fault = check.append(value)
    check.truncate(0)
    return fault === undefined ? value : null
  }
}

function isOrdered(type: DataType): boolean {
  return ORDERED.has(type) || decimalOf(type) !== undefined
}

/** Selects the leaf columns with statistics, under physical names; lists and maps are leaves. */
function indexedFields(
  fields: readonly StructField[],
  mapping: ColumnMapping,
  { first, paths }: IndexedColumns,
): StructType {
  const named = new Set(paths.map((path) => JSON.stringify(path)))
  let left = first
  const below = (inner: readonly StructField[], parents: readonly string[], all: boolean): StructType =>
    struct(
      inner.flatMap((field): (readonly [string, DataType])[] => {
        const name = mapping.physicalName(field)
        const path = [...parents, name]
        const isNamed = all || named.has(JSON.stringify(path))
        const { type } = field
        if (typeof type !== 'string' && type.type === 'struct') {
          const nested = below(type.fields, path, isNamed)
          return nested.fields.length === 0 ? [] : [[name, nested]]
        }
        return left-- > 0 || isNamed ? [[name, type]] : []
      }),
    )
  return below(fields, [], false)
}

/** Maps the leaves of a struct to other types and drops those that become `undefined`. */
function mapLeaves(type: StructType, leaf: (type: DataType) => DataType | undefined): StructType {
  return struct(
    type.fields.flatMap(({ name, type: inner }): (readonly [string, DataType])[] => {
      if (typeof inner !== 'string' && inner.type === 'struct') {
        const below = mapLeaves(inner, leaf)
        return below.fields.length === 0 ? [] : [[name, below]]
      }
      const other = leaf(inner)
      return other === undefined ? [] : [[name, other]]
    }),
  )
}

function struct(fields: readonly (readonly [string, DataType])[]): StructType {
  return {
    type: 'struct',
    fields: fields.map(([name, type]) => ({ name, type, nullable: true, metadata: {} })),
  }
}

/** Parses statistics with exact numbers; returns `undefined` if they are absent or not JSON. */
function statsOf(stats: string | undefined): unknown {
  if (stats === undefined) return undefined
  try {
    if (!/\d\.\d|\d{16}/.test(stats)) return JSON.parse(stats)
    return parse(stats, undefined, (digits) => {
      if (!/^-?\d+$/.test(digits)) return new ExactNumber(digits)
      const number = Number(digits)
      return Number.isSafeInteger(number) ? number : BigInt(digits)
    })
  } catch {
    // Statistics are optional: malformed ones are ignored.
    return undefined
  }
}

/** Converts a partition value to the form that column builders accept. */
function jsonLike(text: string | null, type: DataType): unknown {
  const value = parsePartitionValue(text, type)
  if (value === null) return null
  const decimal = decimalOf(type)
  if (decimal !== undefined) return new ExactNumber(decimalText(value as bigint, decimal.scale))
  if (type === 'date') return formatDate(value as number)
  if (type === 'timestamp' || type === 'timestamp_ntz')
    return formatDateTime(value as bigint, type === 'timestamp')
  // JSON has no NaN or infinity, so a column of doubles takes null instead.
  return typeof value === 'number' && !Number.isFinite(value) ? null : value
}

/**
 * Serialises `stats_parsed` as the text of `add.stats`; returns `undefined` if it is empty. Numbers that JSON cannot
 * represent are left out. Spec: "Per-file Statistics".
 */
export function serialiseParsedStats(parsed: unknown): string | undefined {
  const text = textOf(parsed)
  return text === '{}' ? undefined : text
}

function textOf(value: unknown): string | undefined {
  if (value instanceof ExactNumber) return value.text
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : undefined
  if (typeof value === 'string') return JSON.stringify(value)
  if (!isPlainObject(value) || value instanceof Uint8Array) return undefined
  const members = Object.entries(value).flatMap(([name, inner]) => {
    const text = textOf(inner)
    return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`]
  })
  return `{${members.join(',')}}`
}
