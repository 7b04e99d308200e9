import type { Contract } from '../../contract/contract.ts'
import { PipelineError } from '../../core/errors.ts'
import { avroContract } from '../avro/columns.ts'
import type { AvroNode } from '../avro/schema.ts'
import { protoContract } from '../protobuf/columns.ts'
import type { ProtoMessage } from '../protobuf/schema.ts'

/**
 * Returns the contract of the rows in events of an Avro schema.
 * @throws KD_CONTRACT_INVALID when it is not a schema of events
 */
export function debeziumAvroContract(schema: AvroNode, source: string): Contract {
  const after =
    schema.kind === 'record' ? schema.fields.find(({ name }) => name === 'after')?.node : undefined
  const branches = after?.kind === 'union' ? after.branches : after === undefined ? [] : [after]
  const [row, ...others] = branches.filter(({ kind }) => kind !== 'null')
  if (row?.kind !== 'record' || others.length > 0) throw noEvent(source)
  return avroContract(row, source)
}

/**
 * Returns the contract of the rows in events of a Protobuf message.
 * @throws KD_CONTRACT_INVALID when it is not a message of events
 */
export function debeziumProtoContract(message: ProtoMessage, source: string): Contract {
  const after = message.fields.find(({ name }) => name === 'after')
  if (after?.node.kind !== 'message' || after.label !== 'one') throw noEvent(source)
  return protoContract(after.node, source)
}

function noEvent(source: string): PipelineError {
  return new PipelineError(
    'KD_CONTRACT_INVALID',
    'expected a schema of Debezium events, with a record in `after`',
    {
      source,
    },
  )
}
