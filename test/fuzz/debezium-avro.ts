// Compares rows of Debezium events in Avro that are read from bytes with rows made from objects.
import { contractOfTable } from '../../src/contract/table-contract.ts'
import type { DataType, StructType } from '../../src/core/schema.ts'
import { plainContractOf } from '../../src/evolution/plain.ts'
import { avroFormat, unframedAvro } from '../../src/formats/avro/format.ts'
import { parseAvroSchema } from '../../src/formats/avro/schema.ts'
import { debeziumColumns } from '../../src/formats/debezium/columns.ts'
import { debeziumFormat } from '../../src/formats/debezium/format.ts'
import type { Format } from '../../src/formats/format.ts'
import { rawOf, structOf } from '../support/flow/batches.ts'
import { encoderOf } from '../support/values/avro-values.ts'
import type { Chance } from '../support/values/chance.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { compareEvents, fuzzEvents } from './inputs/event-ways.ts'

const FIELD_NAMES = ['op', 'table', 'source.ts_ms', 'lsn', 'ts_ms', 'source.db', 'snapshot', 'missing']

/** An Avro type, the type of its column, and values of it. */
interface Kind {
  readonly avro: unknown
  readonly column: DataType
  readonly values: readonly unknown[]
}

const KINDS: readonly Kind[] = [
  { avro: 'long', column: 'long', values: [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 300n] },
  { avro: 'int', column: 'integer', values: [0, -1, 2_147_483_647] },
  { avro: 'int', column: 'string', values: [5] },
  { avro: 'string', column: 'string', values: ['', 'é', 'a'.repeat(300)] },
  { avro: 'boolean', column: 'boolean', values: [true, false] },
  { avro: 'double', column: 'double', values: [0, -0, 1.25, NaN, Infinity] },
  { avro: { type: 'int', logicalType: 'date' }, column: 'date', values: [0, -1, 19_000, 2_932_897] },
  {
    avro: { type: 'long', logicalType: 'timestamp-millis' },
    column: 'timestamp',
    values: [0n, -1n, 1_700_000_000_123n, 253_402_300_800_000n],
  },
  {
    avro: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 },
    column: 'decimal(10,2)',
    values: [Buffer.of(0), Buffer.of(0xff), Buffer.from('0098967f', 'hex')],
  },
]

/** See `FuzzTarget`. */
export const fuzz: FuzzTarget = fuzzEvents(compare)

const optional = (type: unknown): unknown[] => ['null', type]

function compare(chance: Chance, count: number): string | undefined {
  const kinds = Array.from({ length: 1 + chance.int(4) }, () => chance.pick(KINDS))
  const isOptional = kinds.map(() => chance.once(2))
  const row = {
    type: 'record',
    name: 'Value',
    fields: kinds.map(({ avro }, i) => ({
      name: `c${i}`,
      type: isOptional[i] === true ? optional(avro) : avro,
    })),
  }
  const envelope = {
    type: 'record',
    name: 'Envelope',
    fields: [
      { name: 'before', type: optional(row) },
      { name: 'after', type: optional('Value') },
      { name: 'source', type: sourceSchema() },
      { name: 'op', type: 'string' },
      { name: 'ts_ms', type: optional('long') },
    ],
  }
  const encode = encoderOf(envelope)
  const values = Array.from({ length: count }, () =>
    mutated(encode(eventOf(chance, kinds, isOptional)), chance),
  )
  const fields = FIELD_NAMES.filter(() => chance.once(2))
  const own = structOf(Object.fromEntries(kinds.map(({ column }, i) => [`c${i}`, column])))
  const schema: StructType = { type: 'struct', fields: [...own.fields, ...debeziumColumns(fields)] }
  const options = { schema, plain: plainContractOf(schema, undefined), unknownFields: 'leave' as const }
  const raw = rawOf(values.map((value) => (chance.once(50) ? null : value)))
  const open = (fast: boolean): Format => {
    const avro = unframedAvro(parseAvroSchema(envelope, 'fuzz'))
    return debeziumFormat(
      avroFormat(avro),
      { fields },
      { schema },
      fast ? { columns: options, avro } : undefined,
    )
  }
  return compareEvents(open, contractOfTable(schema), raw, 'hex')
}

function sourceSchema(): object {
  return {
    type: 'record',
    name: 'Source',
    fields: [
      { name: 'db', type: 'string' },
      { name: 'table', type: 'string' },
      { name: 'ts_ms', type: 'long' },
      { name: 'lsn', type: optional('long') },
      { name: 'snapshot', type: ['string', 'null'] },
    ],
  }
}

function eventOf(chance: Chance, kinds: readonly Kind[], isOptional: readonly boolean[]): object {
  const branch = (node: unknown): string => {
    const type = typeof node === 'string' ? node : (node as { readonly type: string }).type
    return type
  }
  const state = (): object => ({
    Value: Object.fromEntries(
      kinds.map(({ avro, values }, i) => {
        const value = chance.pick(values)
        if (isOptional[i] !== true) return [`c${i}`, value]
        return [`c${i}`, chance.once(4) ? null : { [branch(avro)]: value }]
      }),
    ),
  })
  const op = chance.pick(['c', 'u', 'r', 'd', 'c', 't', 'x', 'cc', ''])
  return {
    before: op === 'd' || chance.once(3) ? state() : null,
    after: op === 'd' && !chance.once(9) ? null : chance.once(20) ? null : state(),
    source: {
      db: 'shop',
      table: chance.pick(['orders', 'é', '']),
      ts_ms: 1_700_000_000_000n,
      lsn: chance.once(3) ? null : { long: 2n ** 40n },
      snapshot: chance.once(3) ? null : { string: 'false' },
    },
    op,
    ts_ms: chance.once(3) ? null : { long: -5n },
  }
}

/** Changes, removes or adds a byte of some values. */
function mutated(value: Buffer, chance: Chance): Buffer {
  if (!chance.once(8)) return value
  const at = chance.int(value.length)
  switch (chance.int(3)) {
    case 0:
      value[at] = chance.int(256)
      return value
    case 1:
      return Buffer.concat([value.subarray(0, at), value.subarray(at + 1)])
    default:
      return Buffer.concat([value.subarray(0, at), Buffer.of(chance.int(256)), value.subarray(at)])
  }
}
