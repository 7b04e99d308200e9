import { formatDate, formatDateTime } from '../../../src/arrow/time.ts'
import { containerOf } from './avro-containers.ts'
import { encoderOf } from './avro-values.ts'
import { protoEncoderOf } from './proto-values.ts'
import {
  symbolOf,
  valueOf,
  type Neutral,
  type RecordShape,
  type Scalar,
  type Shape,
} from './version-shapes.ts'

/** Holds a schema as a registry keeps it, and values of it as a producer sends them, without an id. */
export interface EncodedSchema {
  readonly type: 'AVRO' | 'PROTOBUF' | 'JSON'
  readonly text: string
  /** Returns the value for a seed; it may be longer for Protobuf, by the index of its message. */
  encode(seed: number): Buffer
}

/**
 * Returns the schema of a record in a format. A `container` holds its Avro schema with each value; `debezium` is an Avro
 * envelope with the record as the row after the change.
 */
export function schemaIn(
  format: 'avro' | 'container' | 'debezium' | 'protobuf' | 'json',
  shape: RecordShape,
): EncodedSchema {
  if (format === 'protobuf') return protoSchema(shape)
  if (format === 'json') {
    const text = JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...jsonType(shape) })
    return {
      type: 'JSON',
      text,
      encode: (seed) => Buffer.from(JSON.stringify(jsonValue(shape, valueOf(shape, seed)))),
    }
  }
  const schema = avroType(shape, 'Row')
  if (format === 'debezium') return envelopeSchema(shape, schema)
  const encode = encoderOf(schema)
  const plain = (seed: number): Buffer => encode(avroValue(shape, valueOf(shape, seed), 'Row'))
  return {
    type: 'AVRO',
    text: JSON.stringify(schema),
    encode: format === 'avro' ? plain : (seed) => containerOf(schema, [[plain(seed)]]),
  }
}

function envelopeSchema(shape: RecordShape, row: unknown): EncodedSchema {
  const fields = [
    { name: 'before', type: ['null', row], default: null },
    { name: 'after', type: ['null', 'Row'], default: null },
    { name: 'op', type: 'string' },
  ]
  const schema = { type: 'record', name: 'Envelope', fields }
  const encode = encoderOf(schema)
  return {
    type: 'AVRO',
    text: JSON.stringify(schema),
    encode: (seed) =>
      encode({ before: null, after: { Row: avroValue(shape, valueOf(shape, seed), 'Row') }, op: 'c' }),
  }
}

function avroType(shape: Shape, name: string): unknown {
  switch (shape.kind) {
    case 'timestamp':
      return { type: 'long', logicalType: 'timestamp-micros' }
    case 'decimal':
      return { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 10 }
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'enum':
      return { type: 'enum', name, symbols: Array.from({ length: shape.symbols }, (_, i) => symbolOf(i)) }
    case 'list':
      return { type: 'array', items: avroType(shape.of, `${name}_of`) }
    case 'map':
      return { type: 'map', values: avroType(shape.of, `${name}_of`) }
    case 'record': {
      const fields = shape.fields.map((field) => {
        const type = avroType(field.shape, `${name}_${field.name}`)
        return field.required
          ? { name: field.name, type }
          : { name: field.name, type: ['null', type], default: null }
      })
      return { type: 'record', name, fields }
    }
    default:
      return shape.kind
  }
}

function avroValue(shape: Shape, value: Neutral, name: string): unknown {
  switch (shape.kind) {
    case 'long':
      return BigInt(value as number)
    case 'timestamp':
      return BigInt(value as number) * 1_000_000n
    case 'decimal': {
      const hex = (BigInt(value as number) * 100_000_000n).toString(16)
      // The leading zeros keep the number positive.
      return Buffer.from(hex.padStart(32, '0'), 'hex')
    }
    case 'list':
      return (value as readonly Neutral[]).map((each) => avroValue(shape.of, each, `${name}_of`))
    case 'map':
      return mapped(value, (each) => avroValue(shape.of, each, `${name}_of`))
    case 'record':
      return Object.fromEntries(
        shape.fields.map((field): [string, unknown] => {
          const inner = (value as Record<string, Neutral>)[field.name] ?? null
          const at = `${name}_${field.name}`
          const encoded = inner === null ? null : avroValue(field.shape, inner, at)
          return [
            field.name,
            field.required || inner === null ? encoded : { [avroBranch(field.shape, at)]: encoded },
          ]
        }),
      )
    default:
      return value
  }
}

function avroBranch(shape: Shape, name: string): string {
  if (shape.kind === 'record' || shape.kind === 'enum') return name
  if (shape.kind === 'timestamp') return 'long'
  if (shape.kind === 'decimal') return 'bytes'
  if (shape.kind === 'date') return 'int'
  return shape.kind === 'list' ? 'array' : shape.kind
}

function mapped(value: Neutral, change: (value: Neutral) => unknown): object {
  return Object.fromEntries(
    Object.entries(value as Record<string, Neutral>).map(([key, each]) => [key, change(each)]),
  )
}

const JSON_TYPES: Readonly<Record<Scalar, object>> = {
  boolean: { type: 'boolean' },
  int: { type: 'integer', 'x-delta-type': 'integer' },
  long: { type: 'integer' },
  float: { type: 'number', 'x-delta-type': 'float' },
  double: { type: 'number' },
  string: { type: 'string' },
  bytes: { type: 'string' },
  timestamp: { type: 'string', format: 'date-time' },
  decimal: { type: 'number', 'x-delta-type': 'decimal(38,10)' },
  date: { type: 'string', format: 'date' },
}

function jsonType(shape: Shape): object {
  switch (shape.kind) {
    case 'enum':
      return { type: 'string', enum: Array.from({ length: shape.symbols }, (_, index) => symbolOf(index)) }
    case 'list':
      return { type: 'array', items: jsonType(shape.of) }
    case 'map':
      return { type: 'object', additionalProperties: jsonType(shape.of) }
    case 'record':
      return {
        type: 'object',
        properties: Object.fromEntries(shape.fields.map((field) => [field.name, jsonType(field.shape)])),
        required: shape.fields.flatMap(({ name, required }) => (required ? [name] : [])),
        additionalProperties: false,
      }
    default:
      return JSON_TYPES[shape.kind]
  }
}

function jsonValue(shape: Shape, value: Neutral): unknown {
  switch (shape.kind) {
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('hex')
    case 'timestamp':
      return formatDateTime(BigInt(value as number) * 1_000_000n, true)
    case 'decimal':
      return (value as number) / 100
    case 'date':
      return formatDate(value as number)
    case 'list':
      return (value as readonly Neutral[]).map((each) => jsonValue(shape.of, each))
    case 'map':
      return mapped(value, (each) => jsonValue(shape.of, each))
    case 'record':
      return presentFields(shape, value, jsonValue)
    default:
      return value
  }
}

const PROTO_TYPES: Readonly<Record<Scalar, string>> = {
  boolean: 'bool',
  int: 'int32',
  long: 'int64',
  float: 'float',
  double: 'double',
  string: 'string',
  bytes: 'bytes',
  timestamp: 'google.protobuf.Timestamp',
  decimal: 'uint64',
  date: 'string',
}

function protoSchema(shape: RecordShape): EncodedSchema {
  const text = `syntax = "proto3";\nimport "google/protobuf/timestamp.proto";\n${protoMessage(shape, 'Row')}`
  const encode = protoEncoderOf(text, 'Row')
  return {
    type: 'PROTOBUF',
    text,
    // The zero byte stands for the first message of the file.
    encode: (seed) =>
      Buffer.concat([Buffer.of(0), encode(protoValue(shape, valueOf(shape, seed)) as object)]),
  }
}

function protoMessage({ fields }: RecordShape, name: string): string {
  const lines = fields.map((field) => {
    const repeated = field.shape.kind === 'list'
    const of = field.shape.kind === 'list' || field.shape.kind === 'map' ? field.shape.of : field.shape
    const inner = `${name}_${field.name}`
    const declared =
      of.kind === 'record' ? protoMessage(of, inner) : of.kind === 'enum' ? protoEnum(of.symbols, inner) : ''
    const type = of.kind === 'record' || of.kind === 'enum' ? inner : PROTO_TYPES[of.kind as Scalar]
    const whole =
      field.shape.kind === 'map' ? `map<string, ${type}>` : `${repeated ? 'repeated' : 'optional'} ${type}`
    return `${declared}\n${whole} ${field.name} = ${field.number};`
  })
  return `message ${name} {\n${lines.join('\n')}\n}`
}

function protoEnum(symbols: number, name: string): string {
  const lines = Array.from({ length: symbols }, (_, index) => `${name}_${index} = ${index};`)
  return `enum ${name} { ${lines.join(' ')} }`
}

function protoValue(shape: Shape, value: Neutral): unknown {
  switch (shape.kind) {
    case 'long':
      return (value as number).toString()
    case 'enum':
      return Number((value as string).slice(symbolOf('').length))
    case 'timestamp':
      return { seconds: value, nanos: 0 }
    case 'decimal':
      return (value as number).toString()
    case 'date':
      return formatDate(value as number)
    case 'list':
      return (value as readonly Neutral[]).map((each) => protoValue(shape.of, each))
    case 'map':
      return mapped(value, (each) => protoValue(shape.of, each))
    case 'record':
      return presentFields(shape, value, protoValue)
    default:
      return value
  }
}

/** Returns an object of the fields that are not null. */
function presentFields(
  shape: RecordShape,
  value: Neutral,
  encode: (shape: Shape, value: Neutral) => unknown,
): object {
  return Object.fromEntries(
    shape.fields.flatMap((field): [string, unknown][] => {
      const inner = (value as Record<string, Neutral>)[field.name] ?? null
      return inner === null ? [] : [[field.name, encode(field.shape, inner)]]
    }),
  )
}
