// Goal: many writers and one who optimizes without end do not harm each other on one S3 table. `npm run contend` does the same
// for minutes.
// Method: nine processes, then every row is counted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameForTests, s3ForTests } from '../support/servers/servers.ts'
import { contend, contentionText } from './support/contention.ts'

test('8 workers and a continuous OPTIMIZE on one S3 table: nothing lost, nothing twice, no append aborted', async (t) => {
  const s3 = await s3ForTests()
  const found = await contend({ s3, prefix: nameForTests('contend'), workers: 8, ms: 20_000 })
  t.diagnostic(contentionText(found))
  assert.deepEqual([found.lost, found.twice, found.aborted], [0, 0, []])
  assert.ok(found.appends >= 8, 'every worker appended')
  assert.ok((found.packed?.commits ?? 0) > 0, 'files were packed meanwhile')
})
