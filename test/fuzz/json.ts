import { of } from 'rxjs'
import { decode } from '../../operators/decode.ts'
import { validate } from '../../operators/validate.ts'
import type { Column } from '../../src/arrow/column.ts'
import { isNull } from '../../src/arrow/column.ts'
import type { Rows } from '../../src/arrow/rows.ts'
import { textAt } from '../../src/arrow/values.ts'
import { loadContract, type Contract } from '../../src/contract/contract.ts'
import { contractOfTable } from '../../src/contract/table-contract.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { Raw } from '../../src/core/raw.ts'
import type { DataType, StructType } from '../../src/core/schema.ts'
import { createIngestCoercion } from '../../src/evolution/ingest-values.ts'
import type { SchemaEvolution } from '../../src/evolution/policy.ts'
import { RowColumns } from '../../src/evolution/row-columns.ts'
import type { Decoded, Format, FormatOptions } from '../../src/formats/format.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import { provenanceOf, rawOf } from '../support/flow/batches.ts'
import { chanceBy, type Chance } from '../support/values/chance.ts'
import { mutated } from '../support/values/json-records.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { objectBy, structBy } from './inputs/json-values.ts'

const RECORDS = 40
const BATCHES = 4
const DIFFERENCES_MAX = 20
const POLICIES: readonly SchemaEvolution[] = ['addNewColumns', 'rescue', 'failOnNewColumns', 'none']
const DEFAULTS: Readonly<Record<string, string>> = { integer: '7', long: '9', string: "'d'", boolean: 'true' }

/** Compares JSON decoded into columns with JSON parsed into objects, for random columns, contracts and policies. */
export const fuzz: FuzzTarget = ({ inputs, seed }) => {
  const differences: string[] = []
  let done = 0
  for (let round = 0; done < inputs && differences.length < DIFFERENCES_MAX; round++) {
    const found = compareRound(chanceBy((seed + round * 7919) % 0x7fff_ffff))
    done += RECORDS * BATCHES
    differences.push(...found.map((text) => `round ${round}, seed ${seed + round * 7919}: ${text}`))
  }
  return Promise.resolve({ inputs: done, differences })
}

/** Counts the records that became columns, and all, over all rounds: a comparison of objects with objects proves nothing. */
export const reach = { columns: 0, records: 0, slow: {} as Record<string, number> }

/** One way from bytes to rows. */
interface Way {
  readonly format: Format
  readonly contract: Contract
  readonly columns: RowColumns | undefined
  /** Names of dropped fields of all batches, which do not say them again. */
  readonly dropped: Set<string>
}

function differenceOfNames(...ways: readonly Way[]): string | undefined {
  const [ours, theirs] = ways.map(({ dropped }) => JSON.stringify([...dropped].sort()))
  return ours === theirs ? undefined : `dropped ${String(ours)} != ${String(theirs)}`
}

function compareRound(chance: Chance): string[] {
  const schema = structBy(chance, 1 + chance.int(6))
  const open = chance.once(6) ? bareWays(schema, chance) : evolvingWays(schema, chance)
  if (open === undefined) return []
  const [fast, slow] = open.ways
  const differences: string[] = []
  for (let batch = 0; batch < BATCHES; batch++) {
    const values = Array.from({ length: RECORDS }, () => recordBy(schema, chance))
    const raw = rawOf(chance.once(4) ? values : values.map((value) => value ?? '{}'))
    const before = JSON.stringify(slow.columns?.current().schema)
    const [ours, theirs] = [carry(fast, raw), carry(slow, raw)]
    // Rows read before a column widened may have less detail in its JSON text; the columns are compared anyway.
    const isStable = before === JSON.stringify(slow.columns?.current().schema)
    const found = differenceOf(ours, theirs, values, isStable) ?? differenceOfNames(fast, slow)
    if (found !== undefined) {
      differences.push(`${open.facts} ${JSON.stringify(schema)} ${found}`)
      break
    }
  }
  return differences
}

function recordBy(schema: StructType, chance: Chance): Uint8Array | null {
  const isOdd = chance.once(3)
  const text = objectBy({ ...chance, isOdd }, schema)
  return isOdd ? mutated(text, chance) : Buffer.from(text)
}

interface Ways {
  readonly ways: readonly [Way, Way]
  readonly facts: string
}

/** Returns the ways of a contract alone, without a table. */
function bareWays(schema: StructType, chance: Chance): Ways | undefined {
  const contract = contractBy(schema, chance)
  if (contract === undefined) return undefined
  const options = { schema: contract.schema, unknownFields: 'skip' as const }
  const wayOf = (plain: FormatOptions['plain']): Way => ({
    format: jsonFormat({ ...options, plain }),
    contract,
    columns: undefined,
    dropped: new Set(),
  })
  return { ways: [wayOf(contract.plain), wayOf(undefined)], facts: 'bare' }
}

function evolvingWays(schema: StructType, chance: Chance): Ways | undefined {
  const policy = chance.pick(POLICIES)
  const written = chance.once(2) ? contractBy(schema, chance) : undefined
  const hasHex = chance.once(6)
  const hasCoercion = hasHex || chance.once(8)
  const table = tableBy(schema, chance)
  const wayOf = (isFast: boolean): Way => {
    const contract = written ?? contractOfTable(table.shape.metadata.schema)
    const columns = new RowColumns({
      topic: 'events',
      contract,
      hasWrittenContract: written !== undefined,
      table,
      addedColumns: [],
      policy,
      ...(hasCoercion ? { coerceValue: createIngestCoercion({ isHexadecimal: hasHex }) } : {}),
    })
    const current = (): FormatOptions => columns.current()
    const format = jsonFormat(isFast ? columns : { current: () => ({ ...current(), plain: undefined }) })
    return { format, contract, columns, dropped: new Set() }
  }
  const facts = `${policy}${written === undefined ? '' : ' contract'}${hasHex ? ' hex' : hasCoercion ? ' coercion' : ''}`
  try {
    return { ways: [wayOf(true), wayOf(false)], facts }
  } catch {
    // The contract does not fit the table.
    return undefined
  }
}

function tableBy(schema: StructType, chance: Chance): ConstructorParameters<typeof RowColumns>[0]['table'] {
  const fields = schema.fields
    .filter(() => !chance.once(8))
    .map((field) => {
      const text = DEFAULTS[typeof field.type === 'string' ? field.type : '']
      const metadata: Record<string, unknown> =
        text !== undefined && chance.once(3) ? { CURRENT_DEFAULT: text } : {}
      return { ...field, metadata }
    })
  const metadata = {
    id: 'fuzz',
    schema: { type: 'struct', fields } as const,
    partitionColumns: [],
    configuration: {},
  }
  const protocol = {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: [],
    writerFeatures: ['allowColumnDefaults'],
  }
  return { uri: 'memory:fuzz', shape: { protocol, metadata } }
}

function contractBy(schema: StructType, chance: Chance): Contract | undefined {
  try {
    return loadContract(schemaOf(schema, chance), { source: 'fuzz' })
  } catch {
    return undefined
  }
}

function schemaOf(type: DataType, chance: Chance): object {
  if (typeof type !== 'string')
    switch (type.type) {
      case 'struct':
        return {
          type: 'object',
          properties: Object.fromEntries(
            type.fields.map(({ name, type: inner }) => [name, nullable(schemaOf(inner, chance), chance)]),
          ),
          ...(chance.once(4) ? { required: type.fields.slice(0, 1).map(({ name }) => name) } : {}),
          ...(chance.once(8) ? { additionalProperties: false } : {}),
        }
      case 'array':
        return { type: 'array', items: nullable(schemaOf(type.elementType, chance), chance) }
      case 'map':
        return { type: 'object', additionalProperties: nullable(schemaOf(type.valueType, chance), chance) }
    }
  const delta = { 'x-delta-type': type }
  const range = chance.once(4) ? { minimum: -1000, exclusiveMaximum: 1e6 } : {}
  if (type.startsWith('decimal'))
    return { type: chance.pick(['number', 'string', ['number', 'string']]), ...delta }
  switch (type) {
    case 'boolean':
      return { type: 'boolean' }
    case 'float':
    case 'double':
      return { type: chance.once(5) ? 'integer' : 'number', ...delta, ...range }
    case 'string':
      return chance.once(12)
        ? delta
        : {
            type: 'string',
            ...(chance.once(4) ? { minLength: chance.int(3), maxLength: 3 + chance.int(9) } : {}),
          }
    case 'binary':
      return { type: 'string', contentEncoding: 'base64', ...delta }
    case 'date':
      return { type: 'string', ...(chance.once(2) ? { format: 'date' } : delta) }
    case 'timestamp':
      return { type: 'string', ...(chance.once(2) ? { format: 'date-time' } : delta) }
    case 'timestamp_ntz':
      return { type: 'string', ...delta }
    default:
      return { type: 'integer', ...delta, ...range }
  }
}

function nullable(schema: object, chance: Chance): object {
  const { type } = schema as { readonly type?: string | readonly string[] }
  return type !== undefined && chance.once(2) ? { ...schema, type: [type, 'null'].flat() } : schema
}

/** Holds what became of a batch, or the error that ended it. */
type Outcome =
  { readonly rows: Rows; readonly decoded: Decoded; readonly after: string } | { readonly error: string }

function carry({ format, contract, columns, dropped }: Way, raw: Raw): Outcome {
  let rows: Rows | undefined
  let error: unknown
  const decoded = format.decode(raw)
  const once: Format = { name: format.name, decode: () => decoded }
  of({ provenance: provenanceOf({ records: raw.count }), payload: raw })
    .pipe(decode(once), validate(contract, columns))
    .subscribe({ next: (batch) => (rows = batch.payload), error: (thrown: unknown) => (error = thrown) })
  if (rows === undefined) return { error: messageOf(error) }
  if ((rows.droppedFields ?? 0) > 0)
    for (const { paths } of rows.droppedPaths ?? []) for (const path of paths) dropped.add(path)
  return { rows, decoded, after: JSON.stringify(columns?.current().schema) }
}

function differenceOf(
  ours: Outcome,
  theirs: Outcome,
  values: readonly (string | Uint8Array | null)[],
  isStable: boolean,
): string | undefined {
  if ('error' in ours || 'error' in theirs) {
    const [a, b] = [ours, theirs].map((one) => ('error' in one ? one.error : 'no error'))
    return a === b ? undefined : `${a} != ${b}`
  }
  const { slow = {}, validated, objects, deadLetters } = ours.decoded
  reach.columns += validated?.records.length ?? 0
  reach.records += values.length
  for (const [reason, count] of Object.entries(slow)) reach.slow[reason] = (reach.slow[reason] ?? 0) + count
  const counted = Object.values(slow).reduce((sum, count) => sum + count, 0)
  if (counted !== objects.length + deadLetters.length)
    return `slow counts ${counted} of ${objects.length} objects`
  if (ours.after !== theirs.after) return `columns ${ours.after} != ${theirs.after}`
  const facts = [ours.rows, theirs.rows].map(factsOf) as [string, string]
  if (facts[0] !== facts[1]) return `${facts[0]} != ${facts[1]}`
  const [fates, expected] = [ours.rows, theirs.rows].map((rows) => fatesOf(rows, isStable)) as [
    string[],
    string[],
  ]
  const at = expected.findIndex((fate, i) => fate !== fates[i])
  if (at < 0) return undefined
  return `${String(values[at])}: ${String(fates[at])} != ${String(expected[at])}`
}

function factsOf({ tombstones, droppedFields = 0 }: Rows): string {
  return `${tombstones} tombstones, ${droppedFields} dropped fields`
}

/** Returns what became of each record, as text that differs wherever bits differ. */
function fatesOf({ raw, columns, records, deadLetters }: Rows, isStable: boolean): string[] {
  const fates = Array.from({ length: raw.count }, () => 'nothing')
  for (const [row, record] of records.entries())
    fates[record] = isStable
      ? columns.columns
          .map((column, i) => [columns.schema.fields[i]?.name, dump(column, row)] as const)
          .filter(([name, text]) => name !== '_rescued_data' || text !== 'null')
          .map(([name, text]) => `${String(name)}=${text}`)
          .join(' ')
      : 'row'
  for (const { offset, reason, message } of deadLetters) fates[Number(offset)] = `${reason}: ${message}`
  return fates
}

function dump(column: Column, row: number): string {
  if (isNull(column, row)) return 'null'
  const inner = (child: Column, { offsets }: { readonly offsets: Int32Array }): string[] => {
    const texts: string[] = []
    for (let i = offsets[row] as number; i < (offsets[row + 1] as number); i++) texts.push(dump(child, i))
    return texts
  }
  switch (column.kind) {
    case 'fixed': {
      const words = [...column.values.subarray(row * column.words, (row + 1) * column.words)]
      return words.map((word) => (Object.is(word, -0) ? '-0' : String(word))).join(',')
    }
    case 'bytes':
      return column.type === 'string' ? JSON.stringify(textAt(column, row)) : inner8(column, row)
    case 'struct':
      return `{${column.children.map((child) => dump(child, row)).join(' ')}}`
    case 'list':
      return `[${inner(column.child, column).join(' ')}]`
    case 'map':
      return `<${inner(column.keys, column).join(' ')}|${inner(column.values, column).join(' ')}>`
  }
}

function inner8({ offsets, bytes }: Extract<Column, { kind: 'bytes' }>, row: number): string {
  return Buffer.from(bytes.subarray(offsets[row], offsets[row + 1])).toString('hex')
}
