import assert from 'node:assert/strict'
import { statfsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Health } from '../../../src/service/health/health.ts'
import { DiskSpace, localFoldersOf } from '../../../src/service/metrics/disk-space.ts'
import { HeldClock } from '../../support/flow/held-clock.ts'

/** File systems that answer as told: the device of each folder, and the bytes of each device. */
function scripted(devices: Readonly<Record<string, number>>, bytes: Record<number, number>) {
  const asked: string[] = []
  return {
    asked,
    fileSystemOf: (path: string) => {
      asked.push(path)
      const device = devices[path]
      return device === undefined
        ? Promise.reject(new Error('EACCES'))
        : Promise.resolve({ path, device, bytes: bytes[device] ?? 0 })
    },
  }
}

test('Folders on one file system have one value, and a folder that cannot be asked about has none', async () => {
  const { fileSystemOf } = scripted({ '/a': 1, '/b': 1, '/c': 2 }, { 1: 10, 2: 20 })
  const space = new DiskSpace(() => ['/a', '/b', '/secret', '/c', '/a'], new HeldClock(), fileSystemOf)
  assert.deepEqual(space.read(), [], 'nothing is known before the first sample')
  await space.idle()
  assert.deepEqual(space.read(), [
    { path: '/a', bytes: 10 },
    { path: '/c', bytes: 20 },
  ])
})

test('A file system is asked at most every 30 seconds', async () => {
  const clock = new HeldClock()
  const bytes: Record<number, number> = { 1: 10 }
  const { asked, fileSystemOf } = scripted({ '/a': 1 }, bytes)
  const space = new DiskSpace(() => ['/a'], clock, fileSystemOf)
  const reads = async (): Promise<unknown> => {
    space.read()
    await space.idle()
    return space.read()
  }
  assert.deepEqual(await reads(), [{ path: '/a', bytes: 10 }])
  bytes[1] = 5
  await clock.advance(29_999)
  assert.deepEqual(await reads(), [{ path: '/a', bytes: 10 }])
  assert.equal(asked.length, 1)
  await clock.advance(1)
  assert.deepEqual(await reads(), [{ path: '/a', bytes: 5 }])
  assert.equal(asked.length, 2)
})

test('A file system that hangs is not asked twice, and its old value is not reported for longer than ten minutes', async () => {
  const clock = new HeldClock()
  let asked = 0
  const space = new DiskSpace(
    () => ['/a', '/b'],
    clock,
    (path) => (++asked > 2 ? new Promise(() => undefined) : Promise.resolve({ path, device: 1, bytes: 10 })),
  )
  space.read()
  await space.idle()
  await clock.advance(600_000)
  assert.deepEqual(space.read(), [{ path: '/a', bytes: 10 }])
  await clock.advance(60_000)
  assert.deepEqual(space.read(), [])
  assert.equal(asked, 3, 'the second folder waits for the first, and no further sample starts')
})

test('The free space of a folder that does not exist yet is that of the folder above it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'space-'))
  try {
    const path = join(folder, 'not', 'there')
    const space = new DiskSpace(() => [path])
    space.read()
    await space.idle()
    const [read] = space.read()
    const { blocks, bsize } = statfsSync(folder)
    assert.equal(read?.path, path)
    assert.ok(read.bytes > 0 && read.bytes <= blocks * bsize, String(read.bytes))
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('The folders are those of local tables, dead-letter tables and replay ledgers', () => {
  const topic = (table: string, deadLetters: object = {}): unknown => ({
    config: { table: { uri: table }, deadLetters },
  })
  const topics = [
    topic('/data/a', { table: 'file:///data/letters', replayLedger: '/data/ledger' }),
    topic('s3://lake/b', { table: 'memory://c' }),
  ]
  assert.deepEqual(localFoldersOf({ topics } as unknown as Health), [
    '/data/a',
    '/data/letters',
    '/data/ledger',
  ])
})
