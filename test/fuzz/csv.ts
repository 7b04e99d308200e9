// Compares rows of CSV that are read from bytes with rows made from objects.
import { contractOfTable } from '../../src/contract/table-contract.ts'
import { currentOf } from '../../src/core/changing.ts'
import { PipelineError } from '../../src/core/errors.ts'
import type { DataType, StructField, StructType } from '../../src/core/schema.ts'
import type { CsvSettings } from '../../src/formats/settings.ts'
import { csvFormat, csvObjectReader } from '../../src/formats/text/csv.ts'
import { decodeRecords } from '../../src/formats/record-columns.ts'
import { arrayOf, rawOf } from '../support/flow/batches.ts'
import { chanceBy, type Chance } from '../support/values/chance.ts'
import { compareWays } from './inputs/compare.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { writtenContractOf } from './inputs/written-contract.ts'

const BATCH = 60
const BATCHES = 2
const NAMES = ['id', 'name', 'Name', 'a', 'b', 'price', 'ratio', 'at', 'day', 'ok', '__proto__', 'a.b', 'é']

/** Texts of fields by the type of the column, ordinary ones and odd ones. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  string: ['a', 'Ada', 'é', '\u{1F600}', ' x ', 'NULL', '\\N', 'a.b', '\uFEFFx', 'x'.repeat(300), '-', '0'],
  long: [
    '0',
    '1',
    '-1',
    '+7',
    '007',
    '-0',
    '123456789012345',
    '1234567890123456',
    '9007199254740993',
    '9223372036854775807',
    '-9223372036854775808',
    '9223372036854775808',
    '1234567890123456789012',
    '1.0',
    '1.',
    '1e3',
    '-',
    '+',
    ' 1',
    '٣',
  ],
  integer: ['0', '5', '-5', '2147483647', '2147483648', '-2147483648', '00000000000000000012', '1.0', '+0'],
  short: ['32767', '32768', '-32768', '-0'],
  byte: ['127', '128', '-128'],
  double: [
    '0',
    '-0',
    '1.5',
    '.5',
    '5.',
    '-.5',
    '+1.25',
    '0.1',
    '123456789012345678',
    '1e3',
    '1E-7',
    '1e400',
    '1e9999',
    '0.000000000000001234',
    '0.1000000000000000055511151231257827',
    '12.34.5',
    'NaN',
    'Infinity',
    '0x10',
    '999999999999999',
    '.',
    '-.',
    '1_0',
    '4.35',
    '0.000001',
  ],
  float: [
    '1.5',
    '3.4e38',
    '3.5e38',
    '340282356779733661637539395458142568448',
    '0.1',
    '16777217',
    '-0',
    '1e-50',
  ],
  'decimal(10,2)': [
    '0',
    '1',
    '-1.5',
    '12.34',
    '12.340',
    '12.345',
    '99999999.99',
    '100000000',
    '-99999999.99',
    '.5',
    '5.',
    '+.5',
    '1e2',
    '1.5e1',
    '-0.00',
    '000000000000012.10',
  ],
  'decimal(38,18)': [
    '0.000000000000000001',
    '12345678901234567890.123456789012345678',
    '-12345678901234567890.123456789012345678',
    '123456789012345678901',
    '1',
    '-1',
    '0',
    '9007199254740993.5',
  ],
  'decimal(38,0)': [
    '99999999999999999999999999999999999999',
    '-99999999999999999999999999999999999999',
    '100000000000000000000000000000000000000',
    '18446744073709551616',
    '-18446744073709551616',
    '4294967296',
    '-4294967296',
    '0',
  ],
  boolean: ['true', 'false', 'TRUE', 'False', '1', '0', 't', 'yes', 'tru\u0065', '10', 'fal\u017fe'],
  date: [
    '2024-02-29',
    '2023-02-29',
    '0000-01-01',
    '9999-12-31',
    '1969-12-31',
    '2024-1-1',
    '2024-01-01 ',
    '10000-01-01',
    '2024-00-10',
  ],
  timestamp: [
    '2024-02-29T12:00:00Z',
    '2024-02-29 12:00:00Z',
    '2024-02-29T12:00:00.123456789Z',
    '1969-12-31T23:59:59.999999Z',
    '2024-01-01T00:00:00+02:00',
    '2024-01-01T00:00:00-23:59',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '9999-12-31T23:59:59.9999999Z',
    '2024-01-01T00:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01t00:00:00z',
    '2024-01-01T00:00:00',
    '2024-01-01',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00+01:00[Europe/Berlin]',
    '2024-01-01T00:00:00+0100',
    '2024-01-01T00:00:00+01',
    '0001-01-01T00:00:00Z',
  ],
  timestamp_ntz: [
    '2024-02-29T12:00:00',
    '2024-02-29 12:00:00.5',
    '1960-01-01T00:00:00.000001',
    '2024-02-29T12:00:00Z',
    '2024-02-29T12:00',
    '9999-12-31T23:59:59.999999',
  ],
  binary: ['hi', 'é', 'aGk=', '\0'],
  list: ['[1,2]', '["a"]', '[]', 'null', '[', '[null]'],
}
const TYPES = Object.keys(TEXTS)

const typeOf = (name: string): DataType => (name === 'list' ? arrayOf('string') : (name as DataType))

interface Case {
  readonly table: StructType
  readonly names: readonly string[]
  readonly types: ReadonlyMap<string, string>
  readonly settings: CsvSettings
}

function caseOf(chance: Chance): Case {
  const pool = chance.once(3) ? NAMES : NAMES.filter((name) => name !== 'Name' && name !== '__proto__')
  const names = [...new Set(Array.from({ length: 1 + chance.int(8) }, () => chance.pick(pool)))]
  const types = new Map(names.map((name) => [name, chance.pick(TYPES)]))
  const folded = new Set<string>()
  const fields = names.flatMap((name): StructField[] => {
    if (chance.once(20) || name === '__proto__' || folded.has(name.toLowerCase())) return []
    folded.add(name.toLowerCase())
    const type = typeOf(types.get(name) ?? 'string')
    const metadata = chance.once(20) && type === 'long' ? { CURRENT_DEFAULT: '42' } : {}
    return [{ name: chance.once(60) ? name.toUpperCase() : name, type, nullable: !chance.once(20), metadata }]
  })
  if (chance.once(8)) fields.push({ name: 'more', type: 'string', nullable: !chance.once(5), metadata: {} })
  const header = chance.once(2)
  return {
    table: { type: 'struct', fields },
    names,
    types,
    settings: {
      delimiter: chance.pick([',', ',', ',', ',', ';', 'tab', '|', '|', 'é', 'a']),
      quote: chance.pick(['"', '"', '"', "'", 'none']),
      header,
      nullWords: chance.pick([[], [], ['NULL', '\\N'], ['-', '0']]),
      ...(chance.once(3) && !header && fields.length > 0 ? {} : { columns: names }),
    },
  }
}

/** Writes a field as CSV, mostly as it must be. */
function fieldOf(chance: Chance, text: string, { delimiter, quote }: CsvSettings): string {
  const separator = delimiter === 'tab' ? '\t' : delimiter
  if (quote === 'none') return text
  const isSpecial = text.includes(separator) || text.includes(quote) || text.includes('\n')
  if (chance.once(200))
    return chance.pick([`${quote}${text}`, `x${quote}${text}${quote}`, `${quote}${text}${quote} `])
  if (!isSpecial && !chance.once(6)) return text
  return `${quote}${text.replaceAll(quote, `${chance.once(20) ? '"' : quote}${quote}`)}${quote}`
}

function lineOf(chance: Chance, { names, types, settings, table }: Case): string {
  const separator = settings.delimiter === 'tab' ? '\t' : settings.delimiter
  const used = settings.columns ?? (settings.header ? names : table.fields.map(({ name }) => name))
  const field = (name: string): string => {
    if (chance.once(9)) return chance.pick(['', '', '""', ...settings.nullWords])
    const type = chance.once(40) ? chance.pick(TYPES) : (types.get(name) ?? 'string')
    const odd = chance.once(80) ? chance.pick(['"', ',', ';', '\n', '\r', "'", 'say "hi"', "it's"]) : ''
    const texts = TEXTS[type] ?? ['x']
    // The first texts are ordinary.
    const text = chance.once(16) ? chance.pick(texts) : (texts[chance.int(3)] ?? 'x')
    return fieldOf(chance, text + odd, settings)
  }
  const ending = chance.pick([
    '',
    '',
    '\n',
    '\r\n',
    chance.once(10) ? '\n\n' : '',
    chance.once(10) ? '\r' : '',
  ])
  const fields = used.map(field)
  if (chance.once(60)) fields.push('x')
  if (chance.once(60)) fields.pop()
  const line = fields.join(separator) + ending
  if (!settings.header) return (chance.once(40) ? '\uFEFF' : '') + line
  const names2 = chance.once(30) ? [...names].reverse() : names
  const header = names2
    .map((name) => fieldOf(chance.once(4) ? chance : chanceBy(1), name, settings))
    .join(separator)
  const eol = chance.once(20)
    ? chance.pick(['\r', '\n\n', ''])
    : ending === '\r\n'
      ? '\r\n'
      : chance.once(10)
        ? '\r\n'
        : '\n'
  return (chance.once(40) ? '\uFEFF' : '') + header + eol + line
}

function mutated(chance: Chance, text: string): Buffer {
  const bytes = Buffer.from(text)
  if (!chance.once(15)) return bytes
  if (chance.once(3)) return bytes.subarray(0, chance.int(bytes.length + 1))
  for (let i = 1 + chance.int(2); i > 0 && bytes.length > 0; i--)
    bytes[chance.int(bytes.length)] = chance.pick([
      0x22, 0x2c, 0x0a, 0x0d, 0x20, 0x00, 0xff, 0xc3, 0x2d, 0x30, 0x2e,
    ])
  return bytes
}

/** A contract that a table cannot have, or does not fit, is refused before any message. */
const REFUSED: ReadonlySet<string> = new Set(['KD_SCHEMA_MISMATCH', 'KD_CONTRACT_INVALID'])

/** The differences, and the records that became columns directly. */
export async function fuzzCsv(
  inputs: number,
  seed: number,
): Promise<{ inputs: number; differences: string[]; columnar: number }> {
  const differences: string[] = []
  let done = 0
  let columnar = 0
  for (let round = 0; done < inputs; round++) {
    const found = await compareRound(chanceBy(seed + round))
    done += BATCH * BATCHES
    columnar += found.columnar
    if (found.difference !== undefined) differences.push(`seed ${seed + round}: ${found.difference}`)
  }
  return { inputs: done, differences, columnar }
}

async function compareRound(chance: Chance): Promise<{ difference: string | undefined; columnar: number }> {
  const made = caseOf(chance)
  const { table, settings } = made
  const batches = Array.from({ length: BATCHES }, () =>
    rawOf(
      Array.from({ length: BATCH }, () => (chance.once(40) ? null : mutated(chance, lineOf(chance, made)))),
    ),
  )
  const policy = chance.pick([
    'none',
    'none',
    'addNewColumns',
    'rescue',
    'failOnNewColumns',
    'contract',
  ] as const)
  const isWritten = chance.once(3)
  try {
    const contract = isWritten ? writtenContractOf(chance, table) : contractOfTable(table)
    const { difference, columnar } = await compareWays({
      contract,
      hasWrittenContract: isWritten,
      table: isWritten ? contract.schema : table,
      policy: policy === 'contract' ? undefined : policy,
      open: (options, isFast) =>
        isFast
          ? csvFormat(options, settings)
          : {
              name: 'csv',
              decode: (raw) => decodeRecords(raw, undefined, csvObjectReader(currentOf(options), settings)),
            },
      batches,
    })
    const details = `${policy} ${JSON.stringify(settings)} ${JSON.stringify(contract.plain ?? table)}`
    return { columnar, difference: difference && `${difference}\n${details}` }
  } catch (error) {
    if (error instanceof PipelineError && REFUSED.has(error.code))
      return { difference: undefined, columnar: 0 }
    throw error
  }
}

/** See `FuzzTarget`. */
export const fuzz: FuzzTarget = async ({ inputs, seed }) => {
  const found = await fuzzCsv(inputs, seed)
  return { inputs: found.inputs, differences: found.differences }
}
