import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { readRowLines } from '../../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { runTable } from '../../cli/table/table-run.ts'
import { READERS, readersForTests, type ReaderName } from './readers.ts'
import { assertSameRows, jsonRows } from './same-rows.ts'
import { carryRecords, type Carried } from '../../support/service.ts'
import { sparkForTests, tableAt, type Spark } from './spark.ts'

/** Rows that the service appends to every table. */
export const APPENDED = 1_000

/** Versions of a table that are travelled to. */
const VERSIONS_MAX = 4

/** Spark may still be writing a checksum or a checkpoint beside its answer. */
const REMOVE = { recursive: true, force: true, maxRetries: 10 }

/** What a check of a table has at hand. */
export interface TableFacts {
  readonly spark: Spark
  /** The folder. */
  readonly path: string
  /** As SQL names it. */
  readonly table: string
}

/** A table that Spark makes, and what is expected of us with it. */
export interface Feature {
  readonly name: string
  /** The rows of the end are also asked of `table cat` as a process, whose start takes its time. */
  readonly commandLine?: boolean
  /** Settings of Spark's session: statements that make no version. */
  readonly settings?: readonly string[]
  /** What makes the table and fills it. */
  readonly statements: (facts: TableFacts) => readonly string[]
  /** Done after the statements, by other means than SQL. */
  readonly prepare?: (facts: TableFacts) => Promise<void>
  /** The record of an index, as the topic holds it. */
  readonly record: (index: number) => object
  /** How readers must see it; as the record by default. */
  readonly row?: (index: number) => object
  /** Further records, of which every one must become a dead letter. */
  readonly refused?: readonly object[]
  /** What becomes of a reader that is not up to the feature; once it is, this entry is to go. */
  readonly notRead?: Partial<Record<ReaderName, RegExp>>
  /** Holds the table after the append against what the feature asks for. */
  readonly check?: (facts: TableFacts) => Promise<void>
}

/** Declares the tests of one feature: reading, time travel, appending, and what others read then. */
export function featureTests(feature: Feature): void {
  describe(feature.name, () => {
    let folder: string
    let facts: TableFacts

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'interop-'))
      const path = join(folder, 'table')
      const spark = await sparkForTests()
      facts = { spark, path, table: tableAt(path) }
      for (const statement of [...(feature.settings ?? []), ...feature.statements(facts)])
        await spark.sql(statement)
      await feature.prepare?.(facts)
    })
    after(() => rm(folder, REMOVE))

    test('versions from the first to the newest have the rows that Spark finds in them', async () => {
      const { version: newest } = await loadSnapshot(new LocalStore(facts.path))
      for (const version of spread(newest)) {
        const theirs = await facts.spark.sql(`SELECT * FROM ${facts.table} VERSION AS OF ${version}`)
        assertSameRows(await ourRows(facts.path, version), theirs, `version ${version}`)
      }
    })

    test(`${APPENDED} rows that the service appends are there for all readers`, async () => {
      const earlier = await ourRows(facts.path)
      const rows = await appendAll(feature, facts)
      const expected = [...earlier, ...jsonRows(rows)]
      assertSameRows(await facts.spark.fresh(`SELECT * FROM ${facts.table}`), expected, 'Spark')
      assertSameRows(await ourRows(facts.path), expected, 'rowLines')
      if (feature.commandLine === true) {
        const { code, stdout, stderr } = await runTable(['cat', facts.path])
        assert.equal(code, 0, stderr)
        assertSameRows(linesOf(stdout), expected, 'table cat')
      }
      await assertOthers(feature, facts, expected)
      await feature.check?.(facts)
    })
  })
}

/** Declares the test of a table that must be refused by `name` before a record is read; `reads` tells whether it can be read. */
export function refusalTest(
  what: string,
  statements: (facts: TableFacts) => readonly string[],
  refusal: { readonly by: string; readonly reads: boolean },
): void {
  test(`${what}: refused as ${refusal.by}, before a record is read`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'interop-'))
    try {
      const path = join(folder, 'table')
      const facts = { spark: await sparkForTests(), path, table: tableAt(path) }
      for (const statement of statements(facts)) await facts.spark.sql(statement)
      const { version } = await loadSnapshotOrNothing(path)
      await assert.rejects(carryRecords([{}], { uri: path }), refusedAs(refusal.by))
      if (refusal.reads) {
        const theirs = await facts.spark.sql(`SELECT * FROM ${facts.table}`)
        assertSameRows(await ourRows(path), theirs, 'rowLines')
        assert.equal((await loadSnapshot(new LocalStore(path))).version, version)
      } else await assert.rejects(ourRows(path), refusedAs(refusal.by))
    } finally {
      await rm(folder, REMOVE)
    }
  })
}

/** The rows of a table on disk as JSON texts. */
export async function ourRows(path: string, version?: bigint): Promise<string[]> {
  const store = new LocalStore(path)
  const lines: string[] = []
  const open = (uri: string): ReturnType<typeof openStore> =>
    openStore(uri, { s3: { region: 'us-east-1', forcePathStyle: true, multipartBytesMin: 8_388_608 } })
  for await (const line of readRowLines(store, await loadSnapshot(store, { version }), { open }))
    lines.push(line)
  return lines
}

/** An error for a table that is refused by this name. */
export function refusedAs(name: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PipelineError, String(error))
    assert.equal(error.code, 'KD_TABLE_UNSUPPORTED', error.message)
    assert.match(error.message, new RegExp(`\\b${name}\\b`))
    return true
  }
}

/** Some versions from 0 to the newest: Spark takes a second for each. */
function spread(newest: bigint): bigint[] {
  const steps = Array.from(
    { length: VERSIONS_MAX },
    (_, index) => (newest * BigInt(index)) / BigInt(VERSIONS_MAX - 1),
  )
  return [...new Set(steps)]
}

async function appendAll(feature: Feature, { path }: TableFacts): Promise<object[]> {
  const indices = Array.from({ length: APPENDED }, (_, index) => index)
  const refused = feature.refused ?? []
  const carried: Carried = await carryRecords([...indices.map(feature.record), ...refused], { uri: path })
  const letters = carried.deadLetters.map(({ message }) => message)
  assert.equal(letters.length, refused.length, letters.slice(0, 3).join('\n'))
  const rows = carried.commits.reduce((sum, { counts }) => sum + counts.rows, 0)
  assert.equal(rows, APPENDED)
  assert.ok(carried.commits.length > 1, 'in more commits than one')
  return indices.map(feature.row ?? feature.record)
}

async function assertOthers(
  feature: Feature,
  { path }: TableFacts,
  expected: readonly string[],
): Promise<void> {
  const readers = await readersForTests()
  for (const reader of readers === undefined ? [] : READERS) {
    const read = async (): Promise<void> =>
      assertSameRows((await readers?.rows(reader, path)) ?? [], expected, reader)
    const refusal = feature.notRead?.[reader]
    if (refusal === undefined) await read()
    else await assert.rejects(read, refusal)
  }
}

async function loadSnapshotOrNothing(path: string): Promise<{ readonly version: bigint | undefined }> {
  try {
    return await loadSnapshot(new LocalStore(path))
  } catch {
    return { version: undefined }
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
