// Compares rows of Debezium events that are read from bytes with rows made from objects.
import { contractOfTable } from '../../src/contract/table-contract.ts'
import type { DataType, StructType } from '../../src/core/schema.ts'
import { plainContractOf } from '../../src/evolution/plain.ts'
import { debeziumColumns } from '../../src/formats/debezium/columns.ts'
import { debeziumFormat } from '../../src/formats/debezium/format.ts'
import type { Format } from '../../src/formats/format.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import { rawOf, structOf } from '../support/flow/batches.ts'
import type { Chance } from '../support/values/chance.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { compareEvents, fuzzEvents } from './inputs/event-ways.ts'

const NOTHING: StructType = { type: 'struct', fields: [] }
const FIELD_NAMES = [
  'op',
  'table',
  'source.ts_ms',
  'lsn',
  'ts_ms',
  'source.db',
  'source.sequence',
  'snapshot',
  'transaction',
]

/** The Connect types of a column and JSON values of them. */
interface Kind {
  readonly column: DataType
  readonly connect: object
  readonly values: readonly string[]
}

const kind = (column: DataType, connect: object, values: readonly string[]): Kind => ({
  column,
  connect,
  values,
})
const named = (type: string, name: string, more: object = {}): object => ({
  type,
  name,
  optional: true,
  ...more,
})
const KINDS: readonly Kind[] = [
  kind('long', { type: 'int64' }, ['0', '-1', '9007199254740993', '9223372036854775807', '1.5', '"7"']),
  kind('integer', { type: 'int32' }, ['0', '2147483647', '2147483648', '1.0']),
  kind('double', { type: 'double' }, ['0', '-0', '1.25', '1e300', '"x"']),
  kind('string', { type: 'string' }, ['""', '"é"', '"a\\nb"', '"\\u00e9"', '"\\ud800"', '5']),
  kind('boolean', { type: 'boolean' }, ['true', 'false', '"true"']),
  kind('date', named('int32', 'io.debezium.time.Date'), [
    '0',
    '-1',
    '19000',
    '-719528',
    '2932896',
    '2932897',
    '1.0',
    '"2024-01-01"',
  ]),
  kind('long', named('int32', 'io.debezium.time.Date'), ['0', '19000', '"x"']),
  kind('timestamp', named('int64', 'io.debezium.time.Timestamp'), [
    '0',
    '-1',
    '1700000000123',
    '253402300799999',
    '253402300800000',
    '-62167219200000',
    '-62167219200001',
    '1.5',
  ]),
  kind('timestamp', named('int64', 'org.apache.kafka.connect.data.Timestamp'), [
    '1700000000123',
    '9007199254740',
  ]),
  kind('timestamp_ntz', named('int64', 'io.debezium.time.MicroTimestamp'), [
    '0',
    '-1',
    '1700000000123456',
    '253402300799999999',
    '-62167219200000000',
    '9007199254740993',
  ]),
  kind('timestamp', named('int64', 'io.debezium.time.NanoTimestamp'), [
    '0',
    '-1',
    '-999',
    '-1000',
    '1700000000123456789',
    '9223372036854775807',
    '-9223372036854775808',
    '999',
  ]),
  kind('string', named('int64', 'io.debezium.time.MicroTime'), ['0', '86399999999', '86400000001']),
  kind('long', named('int64', 'io.debezium.time.MicroTime'), ['0', '86399999999']),
  kind(
    'decimal(10,2)',
    named('bytes', 'org.apache.kafka.connect.data.Decimal', { parameters: { scale: '2' } }),
    [
      '"AA=="',
      '"/w=="',
      '"AJiWfw=="',
      '"AlQL4/8="',
      '"AlQL5AA="',
      '""',
      '"x"',
      '12.34',
      '"////////////////"',
    ],
  ),
  kind(
    'decimal(38,0)',
    named('bytes', 'org.apache.kafka.connect.data.Decimal', { parameters: { scale: '0' } }),
    ['"AA=="', '"SzuaygAAAAAAAAAAAAAAAA=="', '"f////////////////////w=="', '"AP////////////////////8="'],
  ),
  kind(
    'decimal(10,4)',
    named('bytes', 'org.apache.kafka.connect.data.Decimal', { parameters: { scale: '2' } }),
    ['"AJiWfw=="'],
  ),
  kind('string', named('struct', 'io.debezium.data.VariableScaleDecimal'), ['{"scale":1,"value":"AA=="}']),
]

/** See `FuzzTarget`. */
export const fuzz: FuzzTarget = fuzzEvents(compare)

function compare(chance: Chance, count: number): string | undefined {
  const columns = new Map<string, Kind>()
  for (let i = 1 + chance.int(5); i > 0; i--) columns.set(`c${i}`, chance.pick(KINDS))
  const fields = FIELD_NAMES.filter(() => chance.once(2))
  const own = structOf(Object.fromEntries([...columns].map(([name, { column }]) => [name, column])))
  const schema: StructType = { type: 'struct', fields: [...own.fields, ...debeziumColumns(fields)] }
  const isEmbedded = chance.once(2)
  const values = Array.from({ length: count }, () => eventText(chance, columns, isEmbedded))
  const raw = rawOf(values.map((text) => (chance.once(50) ? null : mutated(text, chance))))
  const unknownFields = chance.pick(['skip', 'count', 'leave'] as const)
  const options = { schema, plain: plainContractOf(schema, undefined), unknownFields }
  const open = (fast: boolean): Format =>
    debeziumFormat(
      jsonFormat({ schema: NOTHING, plain: undefined }),
      { fields },
      { schema },
      fast ? { columns: options } : undefined,
    )
  return compareEvents(open, contractOfTable(schema), raw, 'utf8')
}

function eventText(chance: Chance, columns: ReadonlyMap<string, Kind>, isEmbedded: boolean): string {
  const state = (): string => {
    const members = [...columns].flatMap(([name, { values }]) =>
      chance.once(20) ? [] : [`"${name}":${chance.once(10) ? 'null' : chance.pick(values)}`],
    )
    if (chance.once(20)) members.push(`"${chance.pick(['extra', '__op', 'C1', '__TABLE'])}":1`)
    return `{${members.join(',')}}`
  }
  const op = chance.pick(['c', 'u', 'r', 'd', 'c', 'u', 't', 'x'])
  const members = [
    `"before":${op === 'd' || chance.once(3) ? state() : 'null'}`,
    `"after":${op === 'd' ? 'null' : state()}`,
    `"source":${sourceText(chance)}`,
    `"op":"${op}"`,
    `"ts_ms":${chance.pick(['1700000000500', 'null', '"5"', '1e3', '-0', '-5'])}`,
  ]
  if (chance.once(3)) members.push(`"transaction":${chance.pick(['null', '{"id":"7"}'])}`)
  if (chance.once(30)) members.push('"op":"d"')
  if (chance.once(3)) members.reverse()
  const event = `{${members.join(chance.pick([',', ' , ']))}}`
  if (!isEmbedded || chance.once(10)) return event
  const of = { type: 'struct', fields: [...columns].map(([field, { connect }]) => ({ ...connect, field })) }
  const schema = chance.pick([
    JSON.stringify({
      type: 'struct',
      fields: [
        { ...of, field: 'before' },
        { ...of, field: 'after' },
      ],
    }),
    JSON.stringify({ type: 'struct', fields: [{ ...of, field: 'after' }] }),
    'null',
  ])
  return `{"schema":${schema},"payload":${event}}`
}

function sourceText(chance: Chance): string {
  if (chance.once(20)) return chance.pick(['null', '5', '[]', '{}'])
  const members = [
    '"db":"shop"',
    `"table":${chance.pick(['"orders"', '"b\\"c"', 'null', 'true', '7', '"é"'])}`,
    `"ts_ms":${chance.pick(['1700000000000', '"x"', '9007199254740993'])}`,
    `"lsn":${chance.pick(['24023128', '1.0'])}`,
    '"sequence":"[\\"24023128\\",\\"24023128\\"]"',
    `"snapshot":${chance.pick(['"false"', 'false', 'null'])}`,
  ]
  return `{${members.filter(() => !chance.once(10)).join(',')}}`
}

/** Changes, removes or adds a byte of some values. */
function mutated(text: string, chance: Chance): Uint8Array | string {
  if (!chance.once(10)) return text
  const bytes = Buffer.from(text)
  const at = chance.int(bytes.length)
  switch (chance.int(3)) {
    case 0:
      bytes[at] = chance.int(256)
      return bytes
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    default:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from([chance.pick([0x20, 0x22, 0x5c, 0x7d, 0x2c])]),
        bytes.subarray(at),
      ])
  }
}
