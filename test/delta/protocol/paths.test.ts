import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkpointKey,
  checkpointPartKey,
  commitKey,
  decodePath,
  encodePath,
  newDataFileKey,
  parseLogKey,
} from '../../../src/delta/protocol/paths.ts'

test('File names of the log are zero-padded and parsed again', () => {
  assert.equal(commitKey(42n), '_delta_log/00000000000000000042.json')
  assert.deepEqual(parseLogKey(commitKey(42n)), { kind: 'commit', version: 42n })
  assert.deepEqual(parseLogKey(checkpointKey(42n)), { kind: 'checkpoint', version: 42n })
  const part = checkpointPartKey(42n, 2, 3)
  assert.equal(part, '_delta_log/00000000000000000042.checkpoint.0000000002.0000000003.parquet')
  assert.deepEqual(parseLogKey(part), { kind: 'checkpointPart', version: 42n, part: 2, parts: 3 })
  const v2 = '_delta_log/00000000000000000042.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json'
  assert.deepEqual(parseLogKey(v2), { kind: 'checkpointV2', version: 42n, key: v2 })
})

test('Other files of the log directory are ignored', () => {
  for (const name of [
    '00000000000000000042.crc',
    '00000000000000000004.00000000000000000006.compacted.json',
    '_last_checkpoint',
    '42.json',
    '00000000000000000042.json.tmp',
    '_staged_commits/00000000000000000042.3a0d65cd-4056-49b8-937b-95f9e3ee90e5.json',
  ]) {
    assert.equal(parseLogKey(`_delta_log/${name}`), undefined, name)
  }
})

test('Partition values are escaped once for the directory and once more for the log', () => {
  const key = newDataFileKey(['p', 'q'], { p: 'a b/c:é%?#', q: null }, 'zstd', 'uuid')
  assert.equal(key, 'p=a b%2Fc%3Aé%25%3F%23/q=__HIVE_DEFAULT_PARTITION__/part-00000-uuid.c000.zstd.parquet')
  const path = encodePath(key)
  assert.equal(
    path,
    'p=a%20b%252Fc%253A%C3%A9%2525%253F%2523/q=__HIVE_DEFAULT_PARTITION__/part-00000-uuid.c000.zstd.parquet',
  )
  assert.equal(decodePath(path), key)
})

test('Paths that are absolute, lead outside the table or are not URIs are refused', () => {
  for (const path of ['s3://bucket/a.parquet', '/a.parquet', 'file:/a.parquet']) {
    assert.throws(() => decodePath(path), { code: 'KD_TABLE_UNSUPPORTED' }, path)
  }
  for (const path of ['../a.parquet', 'a/%2E%2E/b', '%', '']) {
    assert.throws(() => decodePath(path), { code: 'KD_TABLE_CORRUPT' }, path)
  }
  assert.throws(() => encodePath('\ud800'), { code: 'KD_RECORD_NOT_FITTING' })
})
