// Compares rows of Avro records that are read from bytes with rows made from objects.
import { loadContract, type Contract } from '../../src/contract/contract.ts'
import { contractOfTable } from '../../src/contract/table-contract.ts'
import { PipelineError } from '../../src/core/errors.ts'
import type { DataType, StructField, StructType } from '../../src/core/schema.ts'
import { avroWriterSchema } from '../../src/formats/avro/columns.ts'
import { cacheReaders, containerFormat } from '../../src/formats/avro/container-format.ts'
import { openBlockCodecs } from '../../src/formats/avro/container.ts'
import { fingerprintOf } from '../../src/formats/avro/fingerprint.ts'
import { avroFormat, singleObjectAvro, unframedAvro, writtenRecords } from '../../src/formats/avro/format.ts'
import { ingestReaderFactory } from '../../src/formats/avro/kafka-delta-ingest.ts'
import type { RecordReader } from '../../src/formats/avro/read.ts'
import { resolvingReader } from '../../src/formats/avro/resolve.ts'
import { parseAvroSchema, type AvroNode } from '../../src/formats/avro/schema.ts'
import type { SchemaEvolution } from '../../src/evolution/policy.ts'
import { containerOf } from '../support/values/avro-containers.ts'
import { rawOf } from '../support/flow/batches.ts'
import { chanceBy, type Chance } from '../support/values/chance.ts'
import { compareAvroWays, type Ways } from './inputs/avro-ways.ts'
import { SchemaGenerator } from './inputs/avro-schemas.ts'
import { mutated, ValueWriter } from './inputs/avro-values.ts'
import type { FuzzTarget } from './fuzz-target.ts'

const BATCH = 60
const BATCHES = 3
const DIFFERENCES_MAX = 10
const POLICIES: readonly SchemaEvolution[] = [
  'none',
  'none',
  'addNewColumns',
  'addNewColumns',
  'rescue',
  'failOnNewColumns',
]
const codecs = await openBlockCodecs()

/** Compares generated records of generated schemas, read with and without columns. */
export const fuzz: FuzzTarget = async ({ inputs, seed }) => {
  const chance = chanceBy(seed)
  const differences: string[] = []
  let done = 0
  let direct = 0
  for (let round = 0; done < inputs && differences.length < DIFFERENCES_MAX; round++) {
    const found = generated(chance)
    if (found === undefined) continue
    const { ways, shown } = found
    const result = await compareAvroWays(ways).catch(unfit)
    if (result === undefined) continue
    if (result.difference !== undefined) differences.push(`round ${round}: ${result.difference}\n  ${shown}`)
    done += BATCH * BATCHES
    direct += result.direct
  }
  // Otherwise the comparison would prove nothing.
  if (direct * 4 < done) differences.push(`only ${direct} of ${done} records became columns directly`)
  return { inputs: done, differences }
}

/** A table that its contract does not fit, or that rows cannot fill, has no rows. */
function unfit(error: unknown): undefined {
  if (!(error instanceof PipelineError)) throw error
}

function generated(chance: Chance): { readonly ways: Ways; readonly shown: string } | undefined {
  const schemas = new SchemaGenerator(chance)
  const json = schemas.record(3)
  const readerJson = chance.once(3) ? schemas.evolved(json) : undefined
  const isIngest = chance.once(8)
  try {
    const writer = parseAvroSchema(json, 'writer')
    const reader = readerJson && parseAvroSchema(readerJson, 'reader')
    const readerOf = readerFactory(reader, isIngest)
    readerOf(writer)
    const { columns } = avroWriterSchema(reader ?? writer)
    if (columns.fields.length === 0) return undefined
    const table = chance.once(3) ? columns : tableOf(chance, columns, isIngest)
    const isWritten = !isIngest && chance.once(4)
    const contract =
      isWritten && chance.once(2)
        ? ruledContract(chance, columns)
        : contractOfTable(isWritten ? columns : table)
    const { open, frame } = framingOf(chance, json, writer, readerOf)
    const values = new ValueWriter(chance)
    const batches = Array.from({ length: BATCHES }, () => rawOf(frame(() => values.encode(writer))))
    const policy = chance.once(6) ? undefined : chance.pick(POLICIES)
    const ways = {
      contract,
      isWritten,
      isIngest,
      table: policy === undefined ? contract.schema : table,
      policy,
      open,
      batches,
    }
    return {
      ways,
      shown: JSON.stringify({
        json,
        readerJson,
        isIngest,
        isWritten,
        policy,
        table: ways.table,
        contract: contract.plain,
      }),
    }
  } catch (error) {
    // Schemas that cannot be resolved.
    unfit(error)
    return undefined
  }
}

type ReaderFactory = (writer: AvroNode) => RecordReader

function readerFactory(reader: AvroNode | undefined, isIngest: boolean): ReaderFactory {
  if (isIngest) return ingestReaderFactory(reader)
  if (reader === undefined) return writtenRecords
  const writer = avroWriterSchema(reader)
  return (written) => ({
    read: resolvingReader(written, reader),
    writer,
    schemas: { writer: written, reader, isIngest: false },
  })
}

/** Returns how the values of a batch are framed, and the format that reads them. */
function framingOf(
  chance: Chance,
  json: unknown,
  writer: AvroNode,
  readerOf: ReaderFactory,
): { readonly open: Ways['open']; readonly frame: (record: () => Buffer) => (Buffer | null)[] } {
  const bytesOf = (record: () => Buffer): Buffer => {
    const bytes = record()
    return chance.once(12) ? mutated(chance, bytes) : bytes
  }
  const batch = (value: () => Buffer | null): (Buffer | null)[] =>
    Array.from({ length: BATCH }, () => (chance.once(30) ? null : value()))
  switch (chance.int(4)) {
    case 0: {
      const container = (record: () => Buffer): Buffer =>
        containerOf(
          json,
          Array.from({ length: 1 + chance.int(2) }, () =>
            Array.from({ length: chance.int(4) }, () => bytesOf(record)),
          ),
        )
      return {
        open: (options) =>
          containerFormat({
            ...(options === undefined ? {} : { columns: options }),
            readerOf: cacheReaders((text) => readerOf(parseAvroSchema(JSON.parse(text), 'header'))),
            codecs,
            recordsMax: 5,
            bytesMax: 1 << 20,
          }),
        frame: (record) =>
          batch(() => (chance.once(20) ? mutated(chance, container(record)) : container(record))),
      }
    }
    case 1: {
      const header = Buffer.from('c3010000000000000000', 'hex')
      header.writeBigUInt64LE(fingerprintOf(writer), 2)
      return {
        open: (options) => avroFormat(singleObjectAvro([writer], readerOf), options),
        frame: (record) =>
          batch(() => Buffer.concat([chance.once(30) ? header.subarray(0, 9) : header, bytesOf(record)])),
      }
    }
    default:
      return {
        open: (options) => avroFormat(unframedAvro(writer, readerOf), options),
        frame: (record) => batch(() => bytesOf(record)),
      }
  }
}

const OTHER_TYPES: Readonly<Record<string, readonly DataType[]>> = {
  integer: ['long', 'short', 'byte', 'double', 'float', 'decimal(12,2)', 'date', 'string'],
  long: ['integer', 'double', 'float', 'decimal(20,0)', 'timestamp', 'string'],
  string: ['binary', 'timestamp', 'long', 'date'],
  binary: ['string'],
  float: ['double', 'integer'],
  double: ['float', 'long'],
  boolean: ['string'],
  date: ['string', 'timestamp'],
  timestamp: ['timestamp_ntz', 'string'],
  timestamp_ntz: ['timestamp'],
  'decimal(10,2)': ['decimal(12,2)', 'decimal(5,2)', 'decimal(12,4)', 'double'],
  'decimal(38,10)': ['decimal(20,10)'],
}

/** Returns columns like the given ones, some of them missing, of other types, in another case or not nullable. */
function tableOf(chance: Chance, columns: StructType, isIngest: boolean): StructType {
  const used = new Set<string>()
  const fields = columns.fields.flatMap((field): StructField[] => {
    if (chance.once(12)) return []
    const name = chance.once(15) ? field.name.toUpperCase() : field.name
    if (used.has(name.toLowerCase())) return []
    used.add(name.toLowerCase())
    return [
      { name, type: changedType(chance, field.type, isIngest), nullable: !chance.once(15), metadata: {} },
    ]
  })
  if (chance.once(5))
    fields.push({
      name: 'extra',
      type: 'long',
      nullable: !chance.once(4),
      metadata: chance.once(2) ? { CURRENT_DEFAULT: '42' } : {},
    })
  return { type: 'struct', fields }
}

function changedType(chance: Chance, type: DataType, isIngest: boolean): DataType {
  if (typeof type === 'string') {
    const others = OTHER_TYPES[type]
    return others !== undefined && chance.once(isIngest ? 3 : 12) ? chance.pick(others) : type
  }
  switch (type.type) {
    case 'struct':
      return chance.once(2) ? type : nonEmpty(tableOf(chance, type, isIngest), type)
    case 'array':
      return {
        ...type,
        elementType: changedType(chance, type.elementType, isIngest),
        containsNull: !chance.once(10),
      }
    case 'map':
      return {
        ...type,
        valueType: changedType(chance, type.valueType, isIngest),
        valueContainsNull: !chance.once(10),
      }
  }
}

function nonEmpty(changed: StructType, type: StructType): StructType {
  return changed.fields.length === 0 ? type : changed
}

const JSON_TYPES: Readonly<Record<string, object>> = {
  integer: { type: ['integer', 'null'] },
  long: { type: ['integer', 'null'] },
  string: { type: ['string', 'null'] },
  double: { type: ['number', 'null'] },
  boolean: { type: ['boolean', 'null'] },
  date: { type: ['string', 'null'], format: 'date' },
  timestamp: { type: ['string', 'null'], format: 'date-time' },
}

/** Returns a contract for some of the columns, with rules. */
function ruledContract(chance: Chance, columns: StructType): Contract {
  const rules: readonly Readonly<Record<string, unknown>>[] = [
    {},
    {},
    { minimum: 0 },
    { maxLength: 3 },
    { minLength: 1 },
    { maximum: 100 },
  ]
  const properties = columns.fields.flatMap(({ name, type }): [string, unknown][] => {
    const json = typeof type === 'string' ? JSON_TYPES[type] : undefined
    if (json === undefined) return []
    return [[name, { ...json, ...(type === 'date' || type === 'timestamp' ? {} : chance.pick(rules)) }]]
  })
  if (properties.length === 0) return contractOfTable(columns)
  return loadContract(
    {
      type: 'object',
      properties: Object.fromEntries(properties),
      required: chance.once(2) ? [properties[0]?.[0]] : [],
      ...(chance.once(4) ? { additionalProperties: false } : {}),
    },
    { source: 'generated' },
  )
}
