import { encoderOf } from '../../support/values/avro-values.ts'
import type { CompatibilityRow, Expected, StubSchema } from './row.ts'

/** Returns a value as Confluent's serializers frame it: a zero byte, the schema id, and for Protobuf the message's index. */
export function framed(id: number, value: Uint8Array | string, index: Uint8Array = Buffer.of()): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  return Buffer.concat([header, index, Buffer.from(value as string)])
}

/** Returns a value written with an Avro schema, framed; members of unions are objects with the name of their branch. */
export function framedAvro(id: number, schema: object, value: object): Buffer {
  return framed(id, encoderOf(schema)(value))
}

/** Returns an Avro schema as the registry has it. */
export function avroSchema(schema: object): StubSchema {
  return { schema: JSON.stringify(schema) }
}

/** Returns a record type of Avro; `fields` are types by name. */
export function avroRecord(fields: Readonly<Record<string, unknown>>, name = 'Event'): object {
  return {
    type: 'record',
    name,
    namespace: 'shop',
    fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
  }
}

/** The options of a topic whose values name schemas of the registry. */
export const REGISTRY_AVRO = { format: 'avro', framing: 'registry' }

/** Returns a registry with one schema, of id 1, which is the newest of the topic's subject. */
export function registryOf(schema: object): NonNullable<CompatibilityRow['registry']> {
  return { ids: { 1: avroSchema(schema) }, subjects: { 'events-value': 1 } }
}

/** Returns a row of values that were written with one schema of the registry. */
export function avroRow(
  id: string,
  schema: object,
  values: readonly object[],
  expected: Expected,
): CompatibilityRow {
  return {
    id,
    topic: REGISTRY_AVRO,
    registry: registryOf(schema),
    batches: [values.map((value) => framedAvro(1, schema, value))],
    expected,
  }
}

/** Returns the options of a topic whose contract has these properties. */
export function contractOf(
  properties: object,
  topic: object = {},
): Pick<CompatibilityRow, 'topic' | 'files'> {
  return {
    topic: { contract: 'file:contract.json', ...topic },
    files: { 'contract.json': JSON.stringify({ type: 'object', properties }) },
  }
}

/** Returns a row of framed messages of one JSON Schema of the registry. */
export function jsonSchemaRow(
  id: string,
  schema: object,
  values: readonly object[],
  expected: Expected,
): CompatibilityRow {
  return {
    id,
    topic: { format: 'json', framing: 'registry' },
    registry: {
      ids: { 1: { schemaType: 'JSON', schema: JSON.stringify(schema) } },
      subjects: { 'events-value': 1 },
    },
    batches: [values.map((value) => framed(1, JSON.stringify(value)))],
    expected,
  }
}
