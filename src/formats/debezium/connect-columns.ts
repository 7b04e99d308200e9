import { LRUCache } from 'lru-cache'
import { isMessageObject } from '../../core/exact.ts'
import { toJsonText } from '../../core/json-text.ts'
import type { DataType, StructField, StructType } from '../../core/schema.ts'
import type { ColumnFault, WriterSchema } from '../format.ts'
import { lazyWriterSchema, type SchemaColumns } from '../writer-schema.ts'
import { toConnectSchema, type ConnectSchema } from './values.ts'

const DEPTH_MAX = 50
/** Limit of columns at any depth. */
const COLUMNS_MAX = 10_000
const DECIMAL_DIGITS_MAX = 38
const CACHED_SCHEMAS_MAX = 1_000
/** Total size limit of the texts of cached schemas, in characters. */
const CACHED_SCHEMA_CHARS_MAX = 8 * 1024 * 1024

/**
 * Returns a function that returns the columns of a Connect struct as it stands beside a payload, or `undefined` for a
 * schema that is not a struct. Equal schemas give the same object while it is among the thousand used last. `adapt`
 * changes the columns.
 */
export function connectWriterSchemas(
  adapt: (columns: StructType) => StructType,
): (schema: ConnectSchema) => WriterSchema | undefined {
  const cached = new LRUCache<string, WriterSchema>({
    max: CACHED_SCHEMAS_MAX,
    maxSize: CACHED_SCHEMA_CHARS_MAX,
    sizeCalculation: (_, text) => Math.max(1, text.length),
  })
  return (schema) => {
    if (schema.type !== 'struct') return undefined
    const text = toJsonText(schema)
    const known = cached.get(text)
    if (known !== undefined) return known
    const made = lazyWriterSchema(() => {
      const { columns, columnFaults } = connectColumns(schema)
      return { columns: adapt(columns), columnFaults }
    })
    cached.set(text, made)
    return made
  }
}

/**
 * Returns the columns of the values of a Connect struct in JSON: int8, int16, int32 and int64 → byte, short, integer
 * and long, float32 and float64 → float and double, bytes → binary, Decimal → decimal, Date → date, the timestamps of
 * Connect and Debezium → timestamp, VariableScaleDecimal → string, because each value has a scale of its own. Times of
 * day stay numbers.
 */
export function connectColumns(schema: ConnectSchema): SchemaColumns {
  const derivation = new ConnectDerivation()
  const type = derivation.structOf(schema, [])
  const columns: StructType =
    typeof type === 'object' && type.type === 'struct' ? type : { type: 'struct', fields: [] }
  return { columns, columnFaults: derivation.faults }
}

type Path = readonly string[]

/** Derives column types. Nothing about the schema can be relied on, because it comes from a message. */
class ConnectDerivation {
  readonly faults: ColumnFault[] = []
  #columns = 0

  structOf(schema: ConnectSchema, path: Path): DataType | undefined {
    const listed: readonly unknown[] = Array.isArray(schema.fields) ? (schema.fields as unknown[]) : []
    const before = this.faults.length
    const names = new Set<string>()
    const fields: StructField[] = []
    for (const each of listed) {
      const inner = toConnectSchema(each)
      const name = inner?.field
      if (inner === undefined || typeof name !== 'string') continue
      const at = [...path, name]
      if (names.has(name.toLowerCase())) {
        this.#fault(at, 'cannot be a column: its name is used twice')
        continue
      }
      names.add(name.toLowerCase())
      if (++this.#columns > COLUMNS_MAX) {
        this.#fault(at, `is one of more than ${COLUMNS_MAX} columns`)
        break
      }
      const type = this.#typeOf(inner, at)
      if (type !== undefined) fields.push({ name, type, nullable: true, metadata: {} })
    }
    if (fields.length > 0) return { type: 'struct', fields }
    return this.faults.length > before
      ? undefined
      : this.#fault(path, 'a struct without fields cannot be a column')
  }

  #typeOf(schema: ConnectSchema, path: Path): DataType | undefined {
    if (path.length > DEPTH_MAX) return this.#fault(path, `nests more than ${DEPTH_MAX} levels`)
    const { type, name } = schema
    const logical = typeof name === 'string' ? LOGICAL_TYPES.get(name) : undefined
    if (logical !== undefined) return logical
    if (name === 'org.apache.kafka.connect.data.Decimal') return this.#decimalOf(schema, path)
    switch (type) {
      case 'struct':
        return this.structOf(schema, path)
      case 'array': {
        const elementType = this.#innerOf(schema.items, [...path, 'items'])
        return elementType && { type: 'array', elementType, containsNull: true }
      }
      case 'map': {
        const keys = toConnectSchema(schema.keys)
        // The converter writes any other map as a list of pairs.
        if (keys !== undefined && keys.type !== 'string')
          return this.#fault(path, 'a map whose keys are not text cannot be a column')
        const valueType = this.#innerOf(schema.values, [...path, 'values'])
        return valueType && { type: 'map', keyType: 'string', valueType, valueContainsNull: true }
      }
    }
    const primitive = typeof type === 'string' ? PRIMITIVE_TYPES.get(type) : undefined
    return (
      primitive ?? this.#fault(path, `${toJsonText(type ?? null).slice(0, 100)} is not a type of Connect`)
    )
  }

  #innerOf(schema: unknown, path: Path): DataType | undefined {
    return this.#typeOf(toConnectSchema(schema) ?? {}, path)
  }

  #decimalOf({ parameters }: ConnectSchema, path: Path): DataType | undefined {
    const given = isMessageObject(parameters) ? (parameters as Readonly<Record<string, unknown>>) : {}
    const scale = Number(given['scale'] ?? 0)
    const precision = Number(given['connect.decimal.precision'] ?? DECIMAL_DIGITS_MAX)
    if (!Number.isInteger(scale) || !Number.isInteger(precision) || precision < 1)
      return this.#fault(path, 'a decimal without a scale cannot be a column')
    // A negative scale stands for zeros in front of the point.
    const digits = scale < 0 ? Math.min(precision - scale, DECIMAL_DIGITS_MAX) : Math.max(precision, scale)
    if (digits > DECIMAL_DIGITS_MAX)
      return this.#fault(path, `a decimal of ${digits} digits; columns hold ${DECIMAL_DIGITS_MAX} at most`)
    return `decimal(${digits},${Math.max(scale, 0)})`
  }

  /** Notes that a field can have no column, and returns its missing type. */
  #fault(path: Path, message: string): DataType | undefined {
    if (this.faults.length < FAULTS_MAX) this.faults.push({ path, message })
    return undefined
  }
}

const FAULTS_MAX = 1_000

const PRIMITIVE_TYPES = new Map<string, DataType>([
  ['int8', 'byte'],
  ['int16', 'short'],
  ['int32', 'integer'],
  ['int64', 'long'],
  ['float32', 'float'],
  ['float64', 'double'],
  ['float', 'float'],
  ['double', 'double'],
  ['boolean', 'boolean'],
  ['string', 'string'],
  ['bytes', 'binary'],
])

const LOGICAL_TYPES = new Map<string, DataType>([
  ['io.debezium.time.Date', 'date'],
  ['org.apache.kafka.connect.data.Date', 'date'],
  ['io.debezium.time.Timestamp', 'timestamp'],
  ['org.apache.kafka.connect.data.Timestamp', 'timestamp'],
  ['io.debezium.time.MicroTimestamp', 'timestamp'],
  ['io.debezium.time.NanoTimestamp', 'timestamp'],
  ['io.debezium.data.VariableScaleDecimal', 'string'],
])
