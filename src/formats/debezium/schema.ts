import type { Contract } from '../../contract/contract.ts'
import { PipelineError } from '../../core/errors.ts'
import { avroContract } from '../avro/columns.ts'
import type { AvroNode } from '../avro/schema.ts'
import { protoContract } from '../protobuf/columns.ts'
import type { ProtoMessage } from '../protobuf/schema.ts'

/** Avro's own names of what Debezium and Connect mean; there is none for times of day and nanoseconds. */
const LOGICAL: Readonly<Record<string, string>> = {
  'io.debezium.time.Date': 'date',
  'io.debezium.time.Timestamp': 'timestamp-millis',
  'io.debezium.time.MicroTimestamp': 'timestamp-micros',
}

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

const PARTS = new Set(['type', 'fields', 'items', 'values'])

/** The contract of the rows in events of this schema. @throws KD_CONTRACT_INVALID where it is none of events */
export function avroRowContract(schema: AvroNode, source: string): Contract {
  const after =
    schema.kind === 'record' ? schema.fields.find(({ name }) => name === 'after')?.node : undefined
  const branches = after?.kind === 'union' ? after.branches : after === undefined ? [] : [after]
  const [row, ...others] = branches.filter(({ kind }) => kind !== 'null')
  if (row?.kind !== 'record' || others.length > 0) throw noEvent(source)
  return avroContract(row, source)
}

/** Likewise for messages. */
export function protoRowContract(message: ProtoMessage, source: string): Contract {
  const after = message.fields.find(({ name }) => name === 'after')
  if (after?.node.kind !== 'message' || after.label !== 'one') throw noEvent(source)
  return protoContract(after.node, source)
}

function noEvent(source: string): PipelineError {
  return new PipelineError('KD_CONTRACT_INVALID', 'expected events of Debezium, with a record in `after`', {
    source,
  })
}
