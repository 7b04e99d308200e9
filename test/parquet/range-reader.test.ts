import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { plainValues } from '../../src/arrow/plain.ts'
import { PipelineError } from '../../src/core/errors.ts'
import type { StructType } from '../../src/core/schema.ts'
import { type RangeSource, readRanges } from '../../src/parquet/range-reader.ts'
import { readTables } from '../../src/parquet/reader.ts'
import { chanceBy } from '../support/values/chance.ts'
import { fileOf } from '../support/values/parquet-file.ts'

const FIXTURES = new URL('../fixtures/', import.meta.url).pathname

/** A key, a long text and a list in some rows; a struct in others. */
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

/** Actions and fields of theirs that every checkpoint's columns hold, in the order of Spark's columns. */
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
    // No two alike, so that compression leaves their bytes.
    stats: Array.from({ length: 20 }, (_, at) =>
      Math.imul(index * 20 + at + 1, 0x9e3779b1).toString(36),
    ).join(),
    values: index % 3 === 0 ? {} : { date: index % 3 === 1 ? null : `day ${index}` },
  },
}))

test('Leaves that are not wanted, and row groups of nulls alone, are never fetched', async () => {
  const file = await fileOf(SCHEMA, [STATE, FILES], { rowGroupRows: 2_000 })
  const source = counting(file)
  const state = await bodies(source, 'state', ([top]) => top === 'state')
  assert.deepEqual(state, [
    { id: 'a', version: 9007199254740993n },
    { id: 'b', version: -1n },
    { id: '__proto__', version: null },
  ])
  const stateBytes = source.fetched
  // The end of the file is read once more when all is done, since it could have been replaced.
  assert.ok(stateBytes < 2 * 65_536 + 1_000, `${stateBytes} bytes`)

  const lean = counting(file)
  const files = await bodies(lean, 'file', ([top, field]) => top === 'file' && field !== 'stats')
  assert.deepEqual(
    files,
    FILES.map(({ file: { path, values } }) => ({ path, values })),
  )
  assert.ok(lean.fetched < file.length / 2 + 65_536, `${lean.fetched} of ${file.length} bytes`)
})

test('Rows read by ranges are those of the file read whole', async () => {
  const file = await fileOf(SCHEMA, [STATE, FILES], { rowGroupRows: 250 })
  const whole = [...readTables('f', file)].flatMap((table) => [...plainValues(table, 'file')])
  assert.deepEqual(await bodies(counting(file), 'file', () => true), whole)
  assert.equal(whole.length, FILES.length)
})

test('Checkpoints that Spark wrote give by ranges what they give whole', async () => {
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
      const whole = [...readTables(name, file)].flatMap((table) =>
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

test('A file that is damaged anywhere is an error or read to its end, and never more than its bytes are asked for', async () => {
  const file = await fileOf(SCHEMA, [STATE, FILES.slice(0, 300)], { rowGroupRows: 100 })
  const footerStart = file.length - 8 - file.readUInt32LE(file.length - 8)
  const chance = chanceBy(7)
  let refused = 0
  for (let round = 0; round < 600; round++) {
    const damaged = Buffer.from(file)
    // Half of it in the footer, which decides what is asked for.
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
  ['no Parquet', Buffer.alloc(200)],
  ['nothing but the magic number', Buffer.from('PAR1\0\0\0\0PAR1')],
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
  for await (const table of readRanges(source, wanted)) found.push(...plainValues(table, column))
  return found
}
