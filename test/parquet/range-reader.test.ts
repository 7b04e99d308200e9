import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readPlainValues } from '../../src/arrow/plain.ts'
import { PipelineError } from '../../src/core/errors.ts'
import type { StructType } from '../../src/core/schema.ts'
import { type RangeSource, readRanges } from '../../src/parquet/range-reader.ts'
import { readArrowTables } from '../../src/parquet/reader.ts'
import { chanceBy } from '../support/values/chance.ts'
import { fileOf } from '../support/values/parquet-file.ts'

const FIXTURES = new URL('../fixtures/', import.meta.url).pathname

/** Columns with a state in some rows, and a file with a long text and a map in others. */
const SCHEMA: StructType = {
  type: 'struct',
  fields: [
    {
      name: 'state',
      nullable: true,
      metadata: {},
      type: {
        type: 'struct',
        fields: [
          { name: 'id', type: 'string', nullable: true, metadata: {} },
          { name: 'version', type: 'long', nullable: true, metadata: {} },
        ],
      },
    },
    {
      name: 'file',
      nullable: true,
      metadata: {},
      type: {
        type: 'struct',
        fields: [
          { name: 'path', type: 'string', nullable: true, metadata: {} },
          { name: 'stats', type: 'string', nullable: true, metadata: {} },
          {
            name: 'values',
            type: { type: 'map', keyType: 'string', valueType: 'string', valueContainsNull: true },
            nullable: true,
            metadata: {},
          },
        ],
      },
    },
  ],
}

/** Actions, with fields that every checkpoint has, in the order of Spark's columns. */
const FIELDS: readonly (readonly [string, ...string[]])[] = [
  ['txn', 'appId', 'version'],
  ['add', 'path', 'size', 'modificationTime', 'dataChange', 'stats'],
  ['remove', 'path', 'deletionTimestamp'],
  ['metaData', 'id', 'schemaString'],
  ['protocol', 'minReaderVersion', 'minWriterVersion'],
]

const STATE = [
  { state: { id: 'a', version: 9007199254740993n } },
  { state: { id: 'b', version: -1n } },
  { state: { id: '__proto__', version: null } },
]
const FILES = Array.from({ length: 6_000 }, (_, index) => ({
  file: {
    path: `part-${index}`,
    // Unique texts, so that compression hardly shrinks them.
    stats: Array.from({ length: 20 }, (_, at) =>
      Math.imul(index * 20 + at + 1, 0x9e3779b1).toString(36),
    ).join(),
    values: index % 3 === 0 ? {} : { date: index % 3 === 1 ? null : `day ${index}` },
  },
}))

test('Unwanted leaf columns, and row groups of nulls, are never fetched', async () => {
  const file = await fileOf(SCHEMA, [STATE, FILES], { rowGroupRows: 2_000 })
  const source = counting(file)
  const state = await bodies(source, 'state', ([top]) => top === 'state')
  assert.deepEqual(state, [
    { id: 'a', version: 9007199254740993n },
    { id: 'b', version: -1n },
    { id: '__proto__', version: null },
  ])
  const stateBytes = source.fetched
  // The end of the file is read again at the end, to detect a replaced file.
  assert.ok(stateBytes < 2 * 65_536 + 1_000, `${stateBytes} bytes`)

  const lean = counting(file)
  const files = await bodies(lean, 'file', ([top, field]) => top === 'file' && field !== 'stats')
  assert.deepEqual(
    files,
    FILES.map(({ file: { path, values } }) => ({ path, values })),
  )
  assert.ok(lean.fetched < file.length / 2 + 65_536, `${lean.fetched} of ${file.length} bytes`)
})

test('Rows read by ranges equal those of the whole file', async () => {
  const file = await fileOf(SCHEMA, [STATE, FILES], { rowGroupRows: 250 })
  const whole = [...readArrowTables('f', file)].flatMap((table) => [...readPlainValues(table, 'file')])
  assert.deepEqual(await bodies(counting(file), 'file', () => true), whole)
  assert.equal(whole.length, FILES.length)
})

test('Checkpoints written by Spark are the same by ranges and as a whole', async () => {
  const files = [...readdirSync(FIXTURES, { recursive: true })]
    .map(String)
    .filter((name) => /_delta_log.*\.parquet$/.test(name))
  assert.ok(files.length > 5)
  let rows = 0
  for (const name of files) {
    const file = readFileSync(`${FIXTURES}${name}`)
    for (const [column, ...fields] of FIELDS) {
      const wanted = ([top, field]: readonly string[]): boolean =>
        top === column && fields.includes(field as string)
      const whole = [...readArrowTables(name, file)].flatMap((table) =>
        [...(table.getChild(column) ?? [])].flatMap((row: Record<string, unknown> | null) =>
          row === null
            ? []
            : [
                Object.fromEntries(
                  fields.filter((field) => row[field] !== undefined).map((field) => [field, row[field]]),
                ),
              ],
        ),
      )
      assert.deepEqual(await bodies(counting(file), column, wanted), whole, `${name} ${column}`)
      rows += whole.length
    }
  }
  assert.ok(rows > 20)
})

test('A damaged file is an error or read to its end, and only existing bytes are requested', async () => {
  const file = await fileOf(SCHEMA, [STATE, FILES.slice(0, 300)], { rowGroupRows: 100 })
  const footerStart = file.length - 8 - file.readUInt32LE(file.length - 8)
  const chance = chanceBy(7)
  let refused = 0
  for (let round = 0; round < 600; round++) {
    const damaged = Buffer.from(file)
    // Half of the damage is in the footer, which decides which bytes are requested.
    const at = round % 2 === 0 ? footerStart + chance.int(file.length - footerStart) : chance.int(file.length)
    damaged[at] = chance.int(256)
    const end = round % 5 === 4 ? chance.int(file.length) : file.length
    try {
      await bodies(counting(damaged.subarray(0, end)), 'file', () => true)
    } catch (error) {
      assert.ok(error instanceof PipelineError && error.code === 'KD_PARQUET_FAILED', String(error))
      refused++
    }
  }
  assert.ok(refused > 150, `${refused} were refused`)
})

for (const [what, file] of [
  ['empty', Buffer.alloc(0)],
  ['not Parquet', Buffer.alloc(200)],
  ['only the magic number', Buffer.from('PAR1\0\0\0\0PAR1')],
] as const) {
  test(`A file that is ${what} is an error`, async () => {
    await assert.rejects(
      bodies(counting(file), 'file', () => true),
      { code: 'KD_PARQUET_FAILED' },
    )
  })
}

type Counting = RangeSource & { fetched: number }

function counting(file: Uint8Array): Counting {
  return {
    name: 'f',
    bytes: file.length,
    fetched: 0,
    get({ start, end }) {
      assert.ok(start >= 0 && start <= end && end <= file.length, `${start}..${end} of ${file.length}`)
      this.fetched += end - start
      return Promise.resolve(file.subarray(start, end))
    },
  }
}

async function bodies(
  source: RangeSource,
  column: string,
  wanted: (path: readonly string[]) => boolean,
): Promise<unknown[]> {
  const found: unknown[] = []
  for await (const table of readRanges(source, wanted)) found.push(...readPlainValues(table, column))
  return found
}
