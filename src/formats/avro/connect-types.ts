/** Maps names of Debezium and Connect types to Avro logical types. Times of day and nanoseconds have none. */
const LOGICAL_TYPES: Readonly<Record<string, string>> = {
  'io.debezium.time.Date': 'date',
  'io.debezium.time.Timestamp': 'timestamp-millis',
  'io.debezium.time.MicroTimestamp': 'timestamp-micros',
}
const NESTED_SCHEMA_KEYWORDS = new Set(['type', 'fields', 'items', 'values'])

/**
 * Returns an Avro schema as registered by Connect's converter, with Avro logical types added where it only has
 * Debezium's type names.
 */
export function withLogicalTypes(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withLogicalTypes)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      NESTED_SCHEMA_KEYWORDS.has(key) ? withLogicalTypes(value) : (value as unknown),
    ]),
  )
  const name = copy['connect.name']
  const logical =
    typeof name === 'string' && Object.hasOwn(LOGICAL_TYPES, name) ? LOGICAL_TYPES[name] : undefined
  return logical === undefined || copy['logicalType'] !== undefined ? copy : { ...copy, logicalType: logical }
}
