import { isDeepStrictEqual, inspect } from 'node:util'
import { transform } from '../../operators/transform.ts'
import { validate } from '../../operators/validate.ts'
import type { Rows } from '../../src/arrow/rows.ts'
import { ExactNumber } from '../../src/core/exact.ts'
import { rowAt } from '../../src/arrow/values.ts'
import { loadContract, type Contract } from '../../src/contract/contract.ts'
import { contractOfTable } from '../../src/contract/table-contract.ts'
import { messageOf as messageOfError, PipelineError } from '../../src/core/errors.ts'
import type { Raw } from '../../src/core/raw.ts'
import { createIngestCoercion } from '../../src/evolution/ingest-values.ts'
import { RowColumns } from '../../src/evolution/row-columns.ts'
import type { Decoded } from '../../src/formats/format.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import { columnOriginOf } from '../../src/evolution/table-columns.ts'
import { createMessageCheck } from '../../src/evolution/message-check.ts'
import {
  contractAfterTransforms,
  declaredColumnsOf,
  formatOptionsOf,
} from '../../src/service/table/transforms.ts'
import { ColumnTransforms } from '../../src/transforms/columns/column-transforms.ts'
import { compileTransforms } from '../../src/transforms/compile.ts'
import { Transformation } from '../../src/transforms/transformation.ts'
import { provenanceOf, rawOf } from '../support/flow/batches.ts'
import { outputsOf } from '../support/flow/operator-contract.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { Draw, topicCase, type TopicCase } from './inputs/transform-inputs.ts'
import { messageOf } from './inputs/transform-messages.ts'

const MESSAGES = 24
const BATCHES = 2

/** Decodes, transforms and validates a batch. */
type Chain = (raw: Raw) => { readonly rows: Rows; readonly decoded: Decoded }

function chainOf(topic: TopicCase, written: Contract | undefined, inColumns: boolean): Chain {
  const messages = written ?? contractOfTable(topic.table)
  const compiled = compileTransforms(topic.options, messages.schema)
  const { isIngest, policy } = topic
  const transformation = isIngest ? new Transformation({ ...compiled.steps, keepsOnNull: true }) : compiled
  const contract = isIngest
    ? messages
    : contractAfterTransforms(messages, transformation, { table: topic.table })
  const table = {
    uri: 'memory',
    shape: {
      protocol: { minReaderVersion: 1, minWriterVersion: 2 },
      metadata: { id: 'x', schema: topic.table, partitionColumns: [], configuration: {} },
    },
  }
  const coerceValue = isIngest ? createIngestCoercion({ isHexadecimal: true }) : undefined
  const columns = new RowColumns({
    topic: 'events',
    contract,
    hasWrittenContract: written !== undefined,
    declaredColumns:
      written === undefined && !isIngest ? declaredColumnsOf(messages.schema, transformation) : undefined,
    table,
    addedColumns: [],
    policy,
    coerceValue,
  })
  const onColumns = inColumns ? new ColumnTransforms(transformation, written?.schema) : undefined
  const format = jsonFormat(formatOptionsOf(written, columns, transformation, { onColumns, coerceValue }))
  const check = written && createMessageCheck(written, policy)
  const transforms = transform(transformation, {
    columns,
    onColumns,
    ...(check === undefined ? {} : { check }),
  })
  return (raw) => {
    const payload = format.decode(raw)
    const provenance = provenanceOf({ records: raw.count })
    const [changed] = outputsOf(transforms, [{ provenance, payload }])
    if (changed === undefined) throw new Error('no batch')
    const [out] = outputsOf(validate(contract, columns), [changed])
    if (out === undefined) throw new Error('no batch')
    return { rows: out.payload, decoded: changed.payload }
  }
}

/**
 * Returns a value without null fields: a batch whose only message with a new field becomes a dead letter may lack the
 * column, in which all of its rows are null.
 */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof ExactNumber)
    return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== null)
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutNulls(inner)]))
}

const FRACTION = /^-?\d+(?=[.eE])(\.\d+)?([eE][+-]?\d+)?$/

/**
 * Returns a row in which numbers of columns that messages turned into text have the text of their value: those read as
 * numbers before the first text of a batch have it, the others that of the message.
 */
function rowOf({ columns }: Rows, index: number): unknown {
  const row: Record<string, unknown> = { ...rowAt(columns, index) }
  for (const field of columns.schema.fields) {
    const value = row[field.name]
    if (columnOriginOf(field) !== 'messages' || typeof value !== 'string' || !FRACTION.test(value)) continue
    row[field.name] = String(Number(value))
  }
  return withoutNulls(row)
}

/** Returns what a chain makes of a batch, without the order in which dead letters are found. */
function outcomeOf(
  chain: () => Chain,
  raws: readonly Raw[],
): { readonly seen: unknown; readonly share: number } {
  let direct = 0
  try {
    const run = chain()
    const seen = raws.map((raw) => {
      const { rows, decoded } = run(raw)
      direct += decoded.validated?.records.length ?? 0
      return {
        rows: Array.from(rows.records, (record, row) => [record, rowOf(rows, row)]),
        letters: rows.deadLetters
          .map(({ offset, reason, message }) => `${offset} ${reason} ${message}`)
          .sort((a, b) => (a < b ? -1 : 1)),
        counts: [rows.filtered, rows.tombstones, rows.droppedFields ?? 0],
      }
    })
    return { seen, share: direct / (MESSAGES * BATCHES) }
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error
    return { seen: messageOfError(error), share: 0 }
  }
}

/** Returns the difference between the two ways for one topic, and the share of its messages that stayed in columns. */
export function compareTopic(seed: number): { readonly difference?: string; readonly share: number } {
  const draw = new Draw(seed)
  const topic = topicCase(draw)
  let written: Contract | undefined
  try {
    written = topic.contract && loadContract(topic.contract, { source: 'fuzz' })
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error
    return { share: 0 }
  }
  const fields = written === undefined ? topic.messages : written.schema.fields
  const raws = Array.from({ length: BATCHES }, (_, index) =>
    rawOf(
      Array.from({ length: MESSAGES }, () => messageOf(draw, fields)),
      { first: BigInt(index * MESSAGES), keys: ['k', undefined, 'ß'] },
    ),
  )
  const fast = outcomeOf(() => chainOf(topic, written, true), raws)
  const slow = outcomeOf(() => chainOf(topic, written, false), raws)
  if (isDeepStrictEqual(fast.seen, slow.seen)) return { share: fast.share }
  return { share: fast.share, difference: described(seed, topic, raws, fast.seen, slow.seen) }
}

function described(
  seed: number,
  topic: TopicCase,
  raws: readonly Raw[],
  fast: unknown,
  slow: unknown,
): string {
  const options = { depth: 9, breakLength: 200, maxArrayLength: 200 }
  const [one, other] = [fast, slow].map((seen) => inspect(seen, options).split('\n')) as [string[], string[]]
  const inOne = one.filter((line) => !other.includes(line)).slice(0, 8)
  const inOther = other.filter((line) => !one.includes(line)).slice(0, 8)
  const values = raws.flatMap((raw) =>
    Array.from(raw.valueStart, (start, i) =>
      Buffer.from(raw.bytes.subarray(Math.max(0, start), raw.valueEnd[i])).toString(),
    ),
  )
  return [
    `seed ${seed}: ${JSON.stringify({ ...topic, options: { ...topic.options, lookups: undefined } })}`,
    'columns:',
    ...inOne,
    'objects:',
    ...inOther,
    ...values,
  ].join('\n')
}

/** Compares transforms on columns with those on objects, over random expressions, tables, contracts and messages. */
export const fuzz: FuzzTarget = ({ inputs, seed }) => {
  const differences: string[] = []
  let count = 0
  for (let topic = seed; count < inputs && differences.length < 20; topic++) {
    const { difference } = compareTopic(topic)
    if (difference !== undefined) differences.push(difference)
    count += MESSAGES * BATCHES
  }
  return Promise.resolve({ inputs: count, differences })
}
