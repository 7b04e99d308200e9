import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../src/core/errors.ts'
import { readRowLines } from '../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import type { Store } from '../../src/storage/store.ts'
import { chanceBy } from '../support/values/chance.ts'

const FIXTURES = new URL('../fixtures/', import.meta.url).pathname
const TABLES = [
  'dat/basic_partitioned',
  'dat/deletion_vectors',
  'spark/column_mapping_id',
  'spark/v2_checkpoint_json',
]
const ROUNDS = 150

/** Values that no field of the log may have, or that are at the edge of what is allowed. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e300,
  '',
  'x',
  '../../../etc/passwd',
  '%2e%2e/%2e%2e/etc/passwd',
  '/etc/passwd',
  'file:///etc/passwd',
  [],
  [null],
  {},
  { toString: 1 },
  '\u0000',
]

for (const [index, table] of TABLES.entries()) {
  test(`A log of ${table} that is damaged at random is read completely or refused by an error that names the position`, async () => {
    const chance = chanceBy(index + 1)
    const random = (): number => chance.int(1_000_000) / 1_000_000
    const source = new LocalStore(`${FIXTURES}${table}/delta`)
    const logKeys = await keysOf(source)
    let refused = 0
    for (let round = 0; round < ROUNDS; round++) {
      const store = await copyOf(source)
      const key = logKeys[Math.floor(random() * logKeys.length)] as string
      const how = await damage(store, key, random)
      try {
        // Some damage leaves a valid log, for example with another value or one commit less. Its rows must still be
        // valid JSON.
        for (const line of await linesOf(guarded(store, source))) JSON.parse(line)
      } catch (error) {
        assert.ok(error instanceof PipelineError, `${how} of ${key}: ${String(error)}`)
        assert.ok(REFUSALS.has(error.code), `${how} of ${key}: ${error.message}`)
        refused++
      }
    }
    assert.ok(refused > ROUNDS / 10, `${refused} of ${ROUNDS} were refused`)
  })
}

const REFUSALS: ReadonlySet<string> = new Set([
  'KD_TABLE_CORRUPT',
  'KD_TABLE_UNSUPPORTED',
  'KD_TABLE_MISSING',
  'KD_PARQUET_FAILED',
])

for (const [fault, line, message] of [
  ['cut off', '{"add":{"path":"a.parquet","parti', /version 1, line 2/],
  ['an array', '[]', /an action must be a JSON object \(version 1, line 2\)/],
  ['of a wrong type', '{"add":{"path":7}}', /add\.path .*version 1, line 2/],
  ['with a number that no size has', addLine('1e300'), /add\.size .*version 1, line 2/],
  ['with a number beyond 64 bits', '{"txn":{"appId":"a","version":9223372036854775808}}', /txn\.version/],
] as const) {
  test(`A line that is ${fault} is refused with its action, version and line`, async () => {
    const store = await withLine(line)
    await assert.rejects(linesOf(store), { code: 'KD_TABLE_CORRUPT', message })
  })
}

for (const path of ['../../etc/passwd', '%2e%2e/%2e%2e/etc/passwd', '', '%zz']) {
  test(`A file whose path is ${JSON.stringify(path)} is never read`, async () => {
    const store = await withLine(addLine('1', path))
    await assert.rejects(linesOf(store), { code: 'KD_TABLE_CORRUPT' })
  })
}

test('Unknown actions and fields change nothing', async () => {
  const sound = await linesOf(await withLine('{"txn":{"appId":"a","version":1}}'))
  const lines = await linesOf(await withLine('{"neverHeardOf":{"path":"../../x"}}'))
  assert.deepEqual(lines, sound)
})

test('A missing data file is a corrupt table, not fewer rows', async () => {
  await assert.rejects(linesOf(await withLine(addLine('1', 'none.parquet'))), {
    code: 'KD_TABLE_CORRUPT',
    message: /a data file is missing \(path none\.parquet\)/,
  })
})

function addLine(size: string, path = 'a.parquet'): string {
  return `{"add":{"path":"${path}","partitionValues":{},"size":${size},"modificationTime":1,"dataChange":true}}`
}

/** Creates a table of two versions, with a line after the first one of the second version. */
async function withLine(line: string): Promise<MemoryStore> {
  const store = await copyOf(new LocalStore(`${FIXTURES}dat/basic_append/delta`))
  const key = '_delta_log/00000000000000000001.json'
  const [first = '', ...rest] = new TextDecoder().decode(await store.get(key)).split('\n')
  await store.put(key, new TextEncoder().encode([first, line, ...rest].join('\n')))
  return store
}

/** Wraps a store so that the test fails if a key outside the table is read. */
function guarded(store: MemoryStore, source: Store): Store {
  return Object.create(store, {
    uri: { value: source.uri },
    get: {
      value: (key: string, range?: { start: number; end?: number }) => {
        assert.ok(!key.includes('..') && !key.startsWith('/') && !key.includes('passwd'), key)
        return store.get(key, range)
      },
    },
    size: { value: store.size.bind(store) },
    list: { value: store.list.bind(store) },
  }) as Store
}

async function damage(store: MemoryStore, key: string, random: () => number): Promise<string> {
  const bytes = await store.get(key)
  const kind = random()
  if (kind < 0.1) {
    await store.delete(key)
    return 'loss'
  }
  if (kind < 0.25) {
    await store.put(key, bytes.subarray(0, Math.floor(random() * bytes.length)))
    return 'cut'
  }
  if (kind < 0.4 || !key.endsWith('.json')) {
    const damaged = Uint8Array.from(bytes)
    damaged[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    await store.put(key, damaged)
    return 'a byte'
  }
  const lines = new TextDecoder().decode(bytes).trimEnd().split('\n')
  const at = Math.floor(random() * lines.length)
  const value = JSON.parse(lines[at] as string) as Record<string, unknown>
  const how = mutate(value, random)
  lines[at] = JSON.stringify(value)
  await store.put(key, new TextEncoder().encode(`${lines.join('\n')}\n`))
  return how
}

/** Replaces or removes one field at a random depth. */
function mutate(value: Record<string, unknown>, random: () => number): string {
  const [action = ''] = Object.keys(value)
  let holder = value[action] as Record<string, unknown>
  for (;;) {
    const keys = Object.keys(holder)
    const key = keys[Math.floor(random() * keys.length)]
    if (key === undefined) return `nothing in ${action}`
    const inner = holder[key]
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner) && random() < 0.6) {
      holder = inner as Record<string, unknown>
      continue
    }
    const strange = STRANGE[Math.floor(random() * STRANGE.length)]
    if (random() < 0.15) Reflect.deleteProperty(holder, key)
    else holder[key] = strange
    return `${action}.${key} = ${JSON.stringify(strange)}`
  }
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list('_delta_log/')) if (!key.endsWith('.crc')) keys.push(key)
  return keys
}

async function copyOf(from: Store): Promise<MemoryStore> {
  const to = new MemoryStore()
  for await (const { key } of from.list('')) await to.put(key, await from.get(key))
  return to
}

async function linesOf(store: Store): Promise<string[]> {
  const lines: string[] = []
  for await (const line of readRowLines(store, await loadSnapshot(store))) lines.push(line)
  return lines
}
