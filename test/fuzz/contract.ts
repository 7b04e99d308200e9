import { lastValueFrom, of } from 'rxjs'
import { decode } from '../../operators/decode.ts'
import { validate } from '../../operators/validate.ts'
import { StructBuilder } from '../../src/arrow/builder.ts'
import { objectsOf, type Rows } from '../../src/arrow/rows.ts'
import { columnRulesOf } from '../../src/contract/columns/column-rules.ts'
import { loadContract, type Contract } from '../../src/contract/contract.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import { pack } from '../../src/kafka/source/pack-records.ts'
import { seededRandom } from '../../src/sample/random.ts'
import { NAMES, pick, schemaOf, valueOf, type Random } from './inputs/contract-schemas.ts'
import type { FuzzTarget } from './fuzz-target.ts'

const RECORDS = 32
const DRAFTS = [
  undefined,
  'http://json-schema.org/draft-07/schema#',
  'http://json-schema.org/draft-06/schema#',
  'http://json-schema.org/draft-04/schema#',
  'https://json-schema.org/draft/2019-09/schema',
]

/** Counts the records that a contract accepts, and those of them that bytes or columns alone prove. */
export interface Proof {
  accepted: number
  byBytes: number
  byColumns: number
  /** Contracts whose rules have no plain form. */
  opaque: number
}

/** Compares contracts on JSON bytes and on columns with the check of objects. */
export const fuzz: FuzzTarget = (options) => fuzzContracts(options)

/** Does what `fuzz` does and adds to `proof`. */
export async function fuzzContracts(
  { inputs, seed }: { inputs: number; seed: number },
  proof: Proof = { accepted: 0, byBytes: 0, byColumns: 0, opaque: 0 },
): Promise<{ inputs: number; differences: string[] }> {
  const random = seededRandom(seed)
  const differences: string[] = []
  let done = 0
  for (let round = 0; done < inputs; round++) {
    const $schema = pick(random, DRAFTS)
    const schema = {
      ...schemaOf(random, 'object', 0),
      type: 'object',
      ...($schema === undefined ? {} : { $schema }),
    }
    const contract = contractOf(schema)
    if (contract === undefined) continue
    if (contract.plain === undefined) proof.opaque++
    const found = [
      ...(await compareBytes(random, schema, contract, proof)),
      ...compareColumns(random, schema, contract, proof),
    ]
    differences.push(
      ...found.map((text) => `seed ${seed} round ${round}: ${JSON.stringify(schema)}\n  ${text}`),
    )
    if (differences.length > 20) break
    done += 2 * RECORDS
  }
  return { inputs: done, differences }
}

/** Random rules may contradict each other; such schemas are not of interest. */
function contractOf(schema: object): Contract | undefined {
  try {
    return loadContract(schema, { source: 'fuzz' })
  } catch {
    return undefined
  }
}

async function compareBytes(
  random: Random,
  schema: object,
  contract: Contract,
  proof: Proof,
): Promise<string[]> {
  const texts = Array.from({ length: RECORDS }, () => textOf(random, schema, contract))
  const fast = await outcomeOf(texts, contract)
  const slow = await outcomeOf(texts, { ...contract, plain: undefined })
  proof.accepted += slow.rows
  proof.byBytes += fast.proven
  return texts.flatMap((text, index) => {
    const [left, right] = [fast.of.get(index), slow.of.get(index)]
    return left === right ? [] : [`bytes: ${text}\n    ${left}\n    ${right}`]
  })
}

/** Returns a value that the contract mostly accepts. */
function likelyValueOf(random: Random, schema: object, contract: Contract, odd: number): unknown {
  let value = valueOf(random, schema, odd)
  for (let tries = random() % 16; tries > 0 && contract.check(value) !== undefined; tries--)
    value = valueOf(random, schema, odd)
  return value
}

function textOf(random: Random, schema: object, contract: Contract): string {
  let text = JSON.stringify(likelyValueOf(random, schema, contract, random() % 3 === 0 ? 12 : 0))
  if (random() % 20 === 0) text = text.replace('{', `{"${pick(random, NAMES)}":1,`)
  if (random() % 20 === 0) text = text.replace(/:(\d+)([,}])/, ':$1.0$2')
  if (random() % 40 === 0) text = text.replace(/:(\d+)([,}])/, ':1234567890123456789012$2')
  if (random() % 40 === 0) text = text.replace(/:0([,}])/, ':-0$1')
  if (random() % 40 === 0) text = text.replace(/[a-z]/, '\\u0061')
  if (random() % 20 === 0) text = text.replaceAll(',', ' ,\t').replaceAll(':', ' : ')
  if (random() % 40 === 0) text = text.slice(0, random() % text.length)
  return text
}

async function outcomeOf(
  texts: readonly string[],
  contract: Contract,
): Promise<{ of: Map<number, string>; rows: number; proven: number }> {
  const records = texts.map((text, offset) => ({
    key: null,
    value: Buffer.from(text),
    timestamp: '0',
    offset: String(offset),
  }))
  const raw = pack('t', 0, records, 0n)
  const provenance = {
    topic: 't',
    partition: 0,
    follows: undefined,
    first: 0n,
    last: BigInt(texts.length - 1),
    records: texts.length,
    bytes: 0,
    polledAtMs: 0,
    traceparents: [],
    timings: [],
  }
  const format = jsonFormat({ schema: contract.schema, plain: contract.plain })
  const proven = format.decode(raw).validated?.records.length ?? 0
  const batch = await lastValueFrom(of({ provenance, payload: raw }).pipe(decode(format), validate(contract)))
  return { of: outcomesOf(batch.payload), rows: batch.payload.records.length, proven }
}

function outcomesOf(rows: Rows): Map<number, string> {
  const found = new Map<number, string>()
  for (const [index, row] of objectsOf(rows).entries()) found.set(rows.records[index] as number, show(row))
  for (const { offset, reason, message } of rows.deadLetters)
    found.set(Number(offset), `${reason}: ${message}`)
  return found
}

function show(row: unknown): string {
  return JSON.stringify(row, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : value,
  )
}

/** No row that the contract refuses may be without suspicion. */
function compareColumns(random: Random, schema: object, contract: Contract, proof: Proof): string[] {
  const { plain, schema: type } = contract
  if (plain === undefined) return []
  const meaning = pick(random, ['null', 'absent', 'either'] as const)
  const rules = columnRulesOf(plain, type, () => meaning)
  if (rules === undefined) return []
  const builder = new StructBuilder(type)
  const objects = Array.from({ length: RECORDS }, () => {
    const value = likelyValueOf(random, schema, contract, 0)
    return meaning === 'either' ? value : withNulls(value, schema, meaning)
  }).filter((object) => {
    const { length } = builder
    const fits = object !== null && builder.append(object) === undefined
    if (!fits) builder.truncate(length)
    return fits
  })
  const suspect = new Uint8Array(objects.length)
  rules(builder.finishColumns(), suspect)
  return objects.flatMap((object, index) => {
    const fault = contract.check(object)
    if (fault === undefined && suspect[index] === 0) proof.byColumns++
    return fault !== undefined && suspect[index] === 0
      ? [`columns (${meaning}): ${JSON.stringify(object)} ${fault}`]
      : []
  })
}

/** Returns an object in which every field without a value is null, or absent. */
function withNulls(value: unknown, schema: unknown, meaning: 'null' | 'absent'): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { items, properties, additionalProperties } = schema as Record<string, unknown>
  if (Array.isArray(value)) return value.map((item) => withNulls(item, items, meaning))
  if (properties === undefined)
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, withNulls(inner, additionalProperties, meaning)]),
    )
  return Object.fromEntries(
    Object.entries(properties as object).flatMap(([name, inner]): [string, unknown][] => {
      const own: unknown = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : null
      return own === null && meaning === 'absent' ? [] : [[name, withNulls(own, inner, meaning)]]
    }),
  )
}
