/** Avro's own names of what Debezium and Connect mean; there is none for times of day and nanoseconds. */
export const LOGICAL: Readonly<Record<string, string>> = {
  'io.debezium.time.Date': 'date',
  'io.debezium.time.Timestamp': 'timestamp-millis',
  'io.debezium.time.MicroTimestamp': 'timestamp-micros',
}
export const PARTS = new Set(['type', 'fields', 'items', 'values'])
/** An Avro schema as Connect's converter registers it, with Avro's logical types where it has only names of Debezium. */

export function withLogicalTypes(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withLogicalTypes)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      PARTS.has(key) ? withLogicalTypes(value) : (value as unknown),
    ]),
  )
  const name = copy['connect.name']
  const logical = typeof name === 'string' && Object.hasOwn(LOGICAL, name) ? LOGICAL[name] : undefined
  return logical === undefined || copy['logicalType'] !== undefined ? copy : { ...copy, logicalType: logical }
}
