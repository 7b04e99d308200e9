// Compares rows of Protobuf messages that are read from bytes with rows made from objects.
import { contractOfTable } from '../../src/contract/table-contract.ts'
import type { DataType, StructField, StructType } from '../../src/core/schema.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { protoWriterSchema } from '../../src/formats/protobuf/columns.ts'
import {
  messageOfFile,
  protobufFormat,
  registryFramedProto,
  unframedProto,
} from '../../src/formats/protobuf/format.ts'
import { parseRegisteredProto } from '../../src/formats/protobuf/load.ts'
import { rawOf } from '../support/flow/batches.ts'
import { chanceBy, type Chance } from '../support/values/chance.ts'
import { compareWays } from './inputs/compare.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { GeneratedFile } from './inputs/protobuf-file.ts'
import { GeneratedValues } from './inputs/protobuf-values.ts'
import { writtenContractOf } from './inputs/written-contract.ts'

const BATCH = 60
const BATCHES = 3

/** Columns like those of the message, some of them missing, wider, in another case or not nullable. */
function tableOf(chance: Chance, columns: StructType, isRoot = true): StructType {
  const used = new Set<string>()
  const fields = columns.fields.flatMap((field): StructField[] => {
    if (chance.once(isRoot ? 12 : 25)) return []
    const name = chance.once(25) ? field.name.toUpperCase() : field.name
    if (used.has(name.toLowerCase())) return []
    used.add(name.toLowerCase())
    const nullable = !chance.once(20)
    return [{ name, type: changedType(chance, field.type), nullable, metadata: {} }]
  })
  const extra = chance.once(5)
    ? [
        {
          name: 'extra',
          type: 'long',
          nullable: !chance.once(6),
          metadata: chance.once(2) ? { CURRENT_DEFAULT: '42' } : {},
        } as const,
      ]
    : []
  return { type: 'struct', fields: [...fields, ...extra] }
}

const OTHER_TYPES: Readonly<Record<string, readonly DataType[]>> = {
  integer: ['long', 'short', 'double', 'decimal(12,2)'],
  long: ['integer', 'double', 'decimal(20,0)', 'timestamp'],
  string: ['binary', 'timestamp', 'long'],
  float: ['double'],
  'decimal(20,0)': ['decimal(38,0)', 'long', 'decimal(25,5)'],
  timestamp: ['timestamp_ntz', 'string'],
}

function changedType(chance: Chance, type: DataType): DataType {
  if (typeof type === 'string')
    return chance.once(25) && OTHER_TYPES[type] !== undefined ? chance.pick(OTHER_TYPES[type]) : type
  switch (type.type) {
    case 'struct':
      return tableOf(chance, type, false)
    case 'array':
      return { ...type, elementType: changedType(chance, type.elementType) }
    case 'map':
      return { ...type, valueType: changedType(chance, type.valueType) }
  }
}

function mutated(chance: Chance, bytes: Buffer): Buffer {
  if (!chance.once(12)) return bytes
  if (chance.once(3)) return bytes.subarray(0, chance.int(bytes.length + 1))
  const copy = Buffer.from(bytes)
  for (let i = 1 + chance.int(3); i > 0 && copy.length > 0; i--)
    copy[chance.int(copy.length)] = chance.pick([0, 1, 8, 0x7f, 0x80, 0xff, chance.int(256)])
  return copy
}

/** A contract that a table cannot have, or does not fit, is refused before any message. */
const REFUSED: ReadonlySet<string> = new Set(['KD_SCHEMA_MISMATCH', 'KD_CONTRACT_INVALID'])

/** The differences, and the records that became columns directly. */
export async function fuzzProtobuf(
  inputs: number,
  seed: number,
): Promise<{ inputs: number; differences: string[]; columnar: number }> {
  const differences: string[] = []
  let done = 0
  let columnar = 0
  for (let round = 0; done < inputs; round++) {
    const chance = chanceBy(seed + round)
    const found = await compareRound(chance)
    done += BATCH * BATCHES
    columnar += found.columnar
    if (found.difference !== undefined) differences.push(`seed ${seed + round}: ${found.difference}`)
  }
  return { inputs: done, differences, columnar }
}

async function compareRound(chance: Chance): Promise<{ difference: string | undefined; columnar: number }> {
  const schema = new GeneratedFile(chance)
  const registered = { type: 'PROTOBUF', text: schema.file, references: [] } as const
  const message = messageOfFile(parseRegisteredProto(registered, 'fuzz'), 'fuzz', `p.${schema.root.name}`)
  const described = protoWriterSchema(message).columns
  const table = chance.once(2) ? described : tableOf(chance, described)
  const isFramed = chance.once(3)
  const values = new GeneratedValues(chance)
  const batches = Array.from({ length: BATCHES }, () =>
    rawOf(
      Array.from({ length: BATCH }, () => {
        if (chance.once(40)) return null
        const value = Buffer.from(values.message(schema.root).finish())
        const framed = isFramed ? Buffer.concat([prefixOf(chance), value]) : value
        return mutated(chance, framed)
      }),
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
  const registry = {
    url: 'memory',
    schema: (id: number | string) => Promise.resolve(id === 7 || id === 8 ? registered : undefined),
    latest: () => Promise.resolve(undefined),
    close: () => undefined,
  }
  try {
    const written = chance.once(3) ? writtenContractOf(chance, table) : undefined
    const found = await compareWays({
      contract: written ?? contractOfTable(chance.once(2) ? table : described),
      hasWrittenContract: written !== undefined || chance.once(2),
      table: written?.schema ?? table,
      policy: policy === 'contract' ? undefined : policy,
      open: (options, isFast) =>
        protobufFormat(
          isFramed ? registryFramedProto(registry) : unframedProto(message),
          isFast ? options : undefined,
        ),
      batches,
    })
    const { difference, columnar } = found
    return {
      columnar,
      difference:
        difference && `${difference}\n${policy} ${JSON.stringify(written?.plain ?? table)}\n${schema.file}`,
    }
  } catch (error) {
    if (error instanceof PipelineError && REFUSED.has(error.code))
      return { difference: undefined, columnar: 0 }
    throw error
  }
}

function prefixOf(chance: Chance): Buffer {
  if (chance.once(30)) return Buffer.of(0, 0, 0, 0, 7, 2, 0)
  return Buffer.of(0, 0, 0, 0, chance.once(10) ? 8 : 7, 0)
}

/** See `FuzzTarget`. */
export const fuzz: FuzzTarget = async ({ inputs, seed }) => {
  const found = await fuzzProtobuf(inputs, seed)
  return { inputs: found.inputs, differences: found.differences }
}
