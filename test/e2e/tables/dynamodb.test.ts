// Goal: we and delta-rs write at once to one table on S3 whose commits DynamoDB decides, and both read every row once.
// Method: each appends one row a commit, at the same time; the rows that delta-rs then reads, and the entries, are judged.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import type { Store } from '../../../src/storage/store.ts'
import { allCommits, emptyTable, ONE_LONG, someAdd, someAppend } from '../../delta/table.ts'
import { fileOf } from '../../support/values/parquet-file.ts'
import { dynamoForTests, nameForTests, s3ForTests } from '../../support/servers/servers.ts'
import { hasPython, pythonLines, pythonWithDynamo } from '../support/python.ts'

const SCRIPT = join(import.meta.dirname, '../support', 'append_rows.py')
const COMMITS = 10
/** The rows of delta-rs begin here, ours at 0. */
const THEIRS = 1000
// Python is no prerequisite; the protocol itself is tested without it.
const python = (await hasPython()) ? await pythonWithDynamo() : undefined

if (python !== undefined)
  test('We and delta-rs append at once to one table, and no row is lost or twice', async () => {
    const [{ bucket, ...s3 }, dynamodb] = await Promise.all([s3ForTests(), dynamoForTests()])
    const uri = `s3://${bucket}/${nameForTests('shared')}`
    const options = { s3: { ...s3, forcePathStyle: true, logStore: 'dynamodb' }, dynamodb } as const
    const store = await openStore(uri, options)
    await emptyTable(store)
    const env = environmentOf(s3, dynamodb)
    const theirs = pythonLines(python, [SCRIPT, uri, String(THEIRS), String(COMMITS)], env)
    await appendUntil(store, theirs)
    const lines = await theirs
    // Rows that we appended after delta-rs had read are not in its answer: it reads once more, without writing.
    const [last = ''] = (await pythonLines(python, [SCRIPT, uri, '0', '0'], env)).slice(-1)
    const [version, ...ids] = last.split(' ').map(Number)
    const commits = await allCommits(store)
    assert.equal(version, commits.length - 1)
    const ours = ids.filter((id) => id < THEIRS)
    assert.deepEqual(
      ours,
      Array.from({ length: ours.length }, (_, index) => index),
    )
    assert.ok(ours.length >= COMMITS)
    assert.deepEqual(
      ids.filter((id) => id >= THEIRS),
      Array.from({ length: COMMITS }, (_, index) => THEIRS + index),
    )
    assert.equal(commits.length, 1 + ids.length, 'one commit for each row, and none twice')
    assert.equal(lines.length, 1)
    await store.close()
  })

/** How delta-rs is told where S3 and DynamoDB are. */
function environmentOf(
  s3: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string },
  dynamodb: { endpoint: string; table: string },
): NodeJS.ProcessEnv {
  return {
    AWS_ENDPOINT_URL: s3.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    AWS_S3_LOCKING_PROVIDER: 'dynamodb',
    AWS_ALLOW_HTTP: 'true',
    DELTA_DYNAMO_TABLE_NAME: dynamodb.table,
  }
}

/** Appends the rows 0, 1, 2, … one commit each, at least ten, until the other writer is done. */
async function appendUntil(store: Store, other: Promise<unknown>): Promise<void> {
  const progress = { isDone: false }
  const done = other.finally(() => {
    progress.isDone = true
  })
  const writer = await openTableWriter(store)
  for (let id = 0; id < COMMITS || !progress.isDone; id++) {
    const path = `${String(id)}.parquet`
    const startedMs = performance.now()
    const { bytes } = await store.put(path, await fileOf(ONE_LONG, [[{ id: BigInt(id) }]]))
    const append = someAppend('ours', id === 0 ? undefined : BigInt(id - 1), BigInt(id))
    const outcome = await writer.append({ ...append, adds: [{ ...someAdd(path), size: bytes }] })
    assert.equal(outcome.kind, 'committed')
    // Without pauses, and ones as long as the machine is slow, the other would lose every race until it gives up.
    const pauseMs = 100 + 3 * (performance.now() - startedMs)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  await done
}
