// Goal: on every store, many writers of one table lose nothing and leave no gap. Method: each writer has its own store,
// as in separate processes, and the log is read back and checked.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openTableWriter } from '../../src/delta/commit/log-writer.ts'
import { openStore } from '../../src/storage/open/open.ts'
import type { Store } from '../../src/storage/store.ts'
import { allCommits, emptyTable, someAppend, txnsOf } from '../delta/table.ts'
import {
  azureForTests,
  dynamoForTests,
  gcsForTests,
  nameForTests,
  s3ForTests,
} from '../support/servers/servers.ts'

const WRITERS = 8
const COMMITS = 5

const gcs = await gcsForTests()
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-race-'))
after(() => rm(folder, { recursive: true, force: true }))

const OPENERS: Readonly<Record<string, (table: string) => Promise<Store>>> = {
  'local disk': (table) => openStore(join(folder, table)),
  S3: async (table) => {
    const { bucket, ...s3 } = await s3ForTests()
    return openStore(`s3://${bucket}/${table}`, { s3: { ...s3, forcePathStyle: true } })
  },
  'S3 with DynamoDB': async (table) => {
    const { bucket, ...s3 } = await s3ForTests()
    const dynamodb = await dynamoForTests()
    const options = { s3: { ...s3, forcePathStyle: true, logStore: 'dynamodb' }, dynamodb } as const
    return openStore(`s3://${bucket}/${table}`, options)
  },
  Azure: async (table) => {
    const azure = await azureForTests()
    return openStore(`az://${azure.container}/${table}`, { azure })
  },
  ...(gcs === undefined
    ? {}
    : {
        Google: (table: string) =>
          openStore(`gs://${gcs.bucket}/${table}`, { gcs: { endpoint: gcs.endpoint, anonymous: true } }),
      }),
}

for (const [kind, open] of Object.entries(OPENERS)) {
  test(`Eight writers at once on ${kind} lose no commit and leave no gap`, async () => {
    const table = nameForTests('race')
    const first = await open(table)
    await emptyTable(first)
    const versions = await Promise.all(
      Array.from({ length: WRITERS }, async (_, index) => {
        const store = await open(table)
        const writer = await openTableWriter(store)
        const won: bigint[] = []
        for (let commit = 0; commit < COMMITS; commit++) {
          const follows = commit === 0 ? undefined : BigInt(commit - 1)
          const outcome = await writer.append(someAppend(`app-${index}`, follows, BigInt(commit)))
          assert.equal(outcome.kind, 'committed')
          won.push(outcome.version)
        }
        await store.close()
        return won
      }),
    )
    assert.deepEqual(
      versions.flat().sort((a, b) => Number(a - b)),
      Array.from({ length: WRITERS * COMMITS }, (_, index) => BigInt(index + 1)),
    )
    const commits = await allCommits(first)
    assert.equal(commits.length, WRITERS * COMMITS + 1)
    for (let index = 0; index < WRITERS; index++)
      assert.deepEqual(
        txnsOf(commits, `app-${index}`),
        Array.from({ length: COMMITS }, (_, commit) => BigInt(commit)),
      )
    await first.close()
  })
}

for (const [kind, open] of Object.entries(OPENERS)) {
  test(`A table on ${kind} that was deleted or replaced gets no further commit`, async () => {
    const store = await open(nameForTests('replaced'))
    await emptyTable(store)
    const writers = [await openTableWriter(store), await openTableWriter(store)] as const
    await writers[0].append(someAppend('ours', undefined, 1n))
    await writers[1].txns()
    await writers[0].idle()
    for await (const { key } of store.list('')) await store.delete(key)
    await assert.rejects(writers[0].append(someAppend('ours', 1n, 2n)), { code: 'KD_TABLE_REPLACED' })
    // The entries of a deleted table in DynamoDB have to be deleted before there can be another one.
    if (kind !== 'S3 with DynamoDB') await emptyTable(store)
    await assert.rejects(writers[1].append(someAppend('ours', 1n, 2n)), { code: 'KD_TABLE_REPLACED' })
    const commits = await allCommits(store)
    assert.deepEqual(txnsOf(commits, 'ours'), [])
    assert.equal(commits.length, kind === 'S3 with DynamoDB' ? 0 : 1)
    assert.equal(await store.size('_delta_log/00000000000000000002.json'), undefined)
    await store.close()
  })
}
