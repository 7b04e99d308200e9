// Goal: a table stays the same table for every reader while it is packed, checkpointed, vacuumed and restored by the
// command line, on disk and on S3, beside a writer that keeps appending.
// Method: a writer of this project appends files; the commands run as processes; rows are compared as delta-rs, DuckDB and
// `table cat` tell them.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { StructType } from '../../../src/core/schema.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { S3Store } from '../../../src/storage/s3/s3.ts'
import type { Store } from '../../../src/storage/store.ts'
import { runTable } from '../../cli/table/table-run.ts'
import { dataFile } from '../../delta/rows-table.ts'
import { structOf } from '../../support/flow/batches.ts'
import { nameForTests, s3ForTests } from '../../support/servers/servers.ts'
import { hasPython, pythonLines, pythonWithReaders } from '../support/python.ts'

const SCRIPT = join(import.meta.dirname, '../support', 'read_table.py')
// Python is no prerequisite; where it is absent, `table cat` and `table verify` still compare.
const python = (await hasPython()) ? await pythonWithReaders() : undefined

const schema = structOf({
  text: 'string',
  at: 'timestamp',
  price: 'decimal(10,2)',
  _kafka_partition: 'integer',
  _kafka_offset: 'long',
  day: 'date',
})
const stored: StructType = { type: 'struct', fields: schema.fields.slice(0, -1) }
const ROWS = 50

/** Appends files with the offsets from `first` file on, the days in turn. */
async function append(store: Store, first: number, files: number): Promise<void> {
  const writer = await openTableWriter(store)
  for (let file = first; file < first + files; file++) {
    const rows = Array.from({ length: ROWS }, (_, row) => ({
      text: row % 7 === 0 ? null : `é ${row}`,
      at: '2026-03-01T12:00:00.000001Z',
      price: '12.34',
      _kafka_partition: 0,
      _kafka_offset: file * ROWS + row,
    }))
    const version = BigInt((file + 1) * ROWS - 1)
    const outcome = await writer.append({
      adds: [await dataFile(store, stored, rows, { day: `2026-03-0${(file % 2) + 1}` })],
      txns: [{ appId: 'app-0', version, follows: file === 0 ? undefined : version - BigInt(ROWS) }],
      operationParameters: {},
      operationMetrics: {},
    })
    assert.equal(outcome.kind, 'committed')
  }
}

/** Runs a command that must succeed; its JSON. */
async function json(command: readonly string[], env: NodeJS.ProcessEnv): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runTable([...command, '--json'], env)
  assert.equal(code, 0, stderr)
  // Commands that print a line for each finding end with their sums.
  const text = stdout.startsWith('{\n') ? stdout : (stdout.trimEnd().split('\n').at(-1) ?? '')
  return JSON.parse(text) as Record<string, unknown>
}

async function cat(uri: string, env: NodeJS.ProcessEnv): Promise<unknown[]> {
  const { code, stdout, stderr } = await runTable(['cat', uri], env)
  assert.equal(code, 0, stderr)
  return sorted(stdout.split('\n').filter((line) => line !== ''))
}

function sorted(lines: readonly string[]): unknown[] {
  const offset = (row: unknown): number => (row as { _kafka_offset: number })._kafka_offset
  return lines.map((line) => JSON.parse(line) as unknown).sort((a, b) => offset(a) - offset(b))
}

async function upkeep(store: Store, env: NodeJS.ProcessEnv, readers: readonly string[]): Promise<void> {
  const { uri } = store
  const assertRead = async (expected: readonly unknown[]): Promise<void> => {
    for (const reader of python === undefined ? [] : readers) {
      assert.deepEqual(sorted(await pythonLines(python ?? '', [SCRIPT, reader, uri], env)), expected, reader)
    }
  }
  await createTable(store, { schema, partitionColumns: ['day'] })
  await append(store, 0, 8)
  const [optimized] = await Promise.all([json(['optimize', uri], env), append(store, 8, 8)])
  assert.deepEqual(optimized['givenUp'], [])
  const again = await json(['optimize', uri], env)
  assert.deepEqual(again['givenUp'], [])
  const rows = await cat(uri, env)
  assert.equal(rows.length, 16 * ROWS)
  await assertRead(rows)
  await json(['checkpoint', uri], env)
  const swept = await json(['vacuum', uri, '--retention-hours', '0', '--force', '--no-dry-run'], env)
  // How many of the writer's files the first pass saw depends on which was faster.
  assert.equal(swept['files'], Number(optimized['numRemovedFiles']) + Number(again['numRemovedFiles']))
  assert.ok(swept['files'] >= 16, `${String(swept['files'])} files`)
  await assertRead(rows)
  const { version } = await loadSnapshot(store)
  await append(store, 16, 1)
  await json(['restore', uri, '--version', String(version)], env)
  assert.deepEqual(await cat(uri, env), rows)
  await assertRead(rows)
  assert.equal((await loadSnapshot(store)).txns.get('app-0')?.version, BigInt(17 * ROWS - 1))
  await append(store, 17, 1)
  const found = await json(['verify', uri], env)
  assert.equal(found['problems'], 0)
  assert.equal(found['rows'], 17 * ROWS)
  const refused = await runTable(['restore', uri, '--version', '3'], env)
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /KD_COMMAND_INVALID .*data files of the version are missing/)
}

test('A table on disk is kept healthy beside a writer, and other engines read the same rows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'maintenance-'))
  try {
    await upkeep(new LocalStore(join(folder, 'table')), {}, ['delta-rs', 'duckdb'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('A table on S3 is kept healthy beside a writer, and delta-rs reads the same rows', async () => {
  const s3 = await s3ForTests()
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = s3
  const prefix = nameForTests('maintenance')
  const options = { endpoint, region, accessKeyId, secretAccessKey, forcePathStyle: true }
  const store = new S3Store(bucket, prefix, options, `s3://${bucket}/${prefix}`)
  const env = {
    AWS_S3_ENDPOINT: endpoint,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ALLOW_HTTP: 'true',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  }
  try {
    await upkeep(store, env, ['delta-rs'])
  } finally {
    await store.close()
  }
})
