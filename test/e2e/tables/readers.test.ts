// Goal: a table that we wrote is read alike by our own `table cat`, by delta-rs and by DuckDB, from disk and from S3.
// Method: carry a topic through the real broker, read the table by each reader, compare row by row.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isExact, verify } from '../../integrity/support/verify.ts'
import { kafkaForTests, nameForTests, s3ForTests } from '../../support/servers/servers.ts'
import { carry, outputOf, PROGRAM, type Carried } from '../support/carry.ts'
import { hasPython, pythonLines, pythonWithReaders } from '../support/python.ts'

const SCRIPT = join(import.meta.dirname, '../support', 'read_table.py')
// Python is no prerequisite; where it is absent, DuckDB for Node still reads the files (statistics.test.ts).
const python = (await hasPython()) ? await pythonWithReaders() : undefined

describe('a table on disk', () => {
  let folder: string
  let uri: string
  let carried: Carried
  let brokers: readonly string[]

  before(async () => {
    brokers = await kafkaForTests()
    folder = await mkdtemp(join(tmpdir(), 'readers-'))
    uri = join(folder, 'table')
    carried = await carry({
      brokers,
      topic: nameForTests('readers'),
      uri,
      folder,
      records: 20_000,
      badEvery: 100,
      flushCount: 1_000,
      seed: 11,
    })
  })
  after(() => rm(folder, { recursive: true, force: true }))

  test('holds every good record once, and every bad one is a dead letter', async () => {
    const findings = await verify(carried.expected, {
      program: PROGRAM,
      uri,
      brokers,
      deadLetterTopic: carried.deadLetterTopic,
    })
    assert.ok(isExact(findings, carried.expected), JSON.stringify(findings))
  })

  test('has a checkpoint after ten commits', async () => {
    const log = await readdir(join(uri, '_delta_log'))
    assert.ok(log.includes('_last_checkpoint'))
    assert.ok(log.includes('00000000000000000010.checkpoint.parquet'))
  })

  for (const reader of python === undefined ? [] : ['delta-rs', 'duckdb']) {
    test(`is read by ${reader} as by table cat`, async () => {
      await assertSameRows(await outputOf(['table', 'cat', uri]), reader, uri)
    })
  }

  if (python !== undefined) {
    test('is read alike through its checkpoint alone', async () => {
      const rows = await outputOf(['table', 'cat', uri])
      const log = join(uri, '_delta_log')
      for (const name of await readdir(log))
        if (name < '00000000000000000010.checkpoint' && name.endsWith('.json')) await rm(join(log, name))
      await assertSameRows(rows, 'delta-rs', uri)
      assert.deepEqual(byPlace(await outputOf(['table', 'cat', uri])), byPlace(rows))
    })
  }
})

describe('a table on S3', () => {
  test('is read alike', async () => {
    const s3 = await s3ForTests()
    const folder = await mkdtemp(join(tmpdir(), 'readers-s3-'))
    try {
      const brokers = await kafkaForTests()
      const topic = nameForTests('readers-s3')
      const uri = `s3://${s3.bucket}/${topic}/events`
      const env = {
        AWS_S3_ENDPOINT: s3.endpoint,
        AWS_ACCESS_KEY_ID: s3.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
        AWS_REGION: s3.region,
      }
      const storage = { s3: { forcePathStyle: true } }
      const carried = await carry({
        brokers,
        topic,
        uri,
        folder,
        records: 5_000,
        badEvery: 100,
        flushCount: 1_000,
        seed: 12,
        env,
        storage,
      })
      const catArgs = ['table', 'cat', uri, '--config', carried.config]
      const rows = await outputOf(catArgs, env)
      assert.equal(rows.length, carried.expected.good)
      const rustEnv = { ...env, AWS_ENDPOINT_URL: s3.endpoint, AWS_ALLOW_HTTP: 'true' }
      if (python !== undefined) await assertSameRows(rows, 'delta-rs', uri, rustEnv)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

async function assertSameRows(
  rows: readonly string[],
  reader: string,
  uri: string,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const theirs = byPlace(await pythonLines(python ?? '', [SCRIPT, reader, uri], env))
  const ours = byPlace(rows)
  assert.equal(theirs.size, ours.size)
  for (const [place, row] of ours) assert.deepEqual(theirs.get(place), row, `row ${place}`)
}

function byPlace(lines: readonly string[]): Map<string, unknown> {
  const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const places = new Map(
    rows.map((row) => [`${String(row['_kafka_partition'])}/${String(row['_kafka_offset'])}`, row]),
  )
  assert.equal(places.size, lines.length, 'a row stands twice')
  return places
}
