// Goal: the commands for dead letters report what is stored, and refuse ambiguous requests.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openDeadLetterTable } from '../../../src/service/dead-letters/dead-letter-table.ts'
import { TablePool } from '../../../src/service/table/table-pool.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { programOf } from '../../support/program.ts'

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-dlq-'))
after(() => rm(folder, { recursive: true, force: true }))
const letters = join(folder, 'letters')
const config = join(folder, 'service.json')
await writeFile(
  config,
  JSON.stringify({ topics: { orders: { table: { uri: './orders' }, deadLetters: { table: './letters' } } } }),
)
const sink = await openDeadLetterTable(new TablePool((uri) => Promise.resolve(new LocalStore(uri))), {
  uri: letters,
  appId: 'kafka-delta-orders',
  evolves: true,
})
await sink.write(
  [0, 1, 2].map((i) => ({
    reason: i === 2 ? 'decode' : 'contract',
    message: i === 2 ? 'expected JSON\u001b[31m' : `/v expected an integer, got "${i}"`,
    topic: 'orders',
    partition: 1,
    offset: BigInt(40 + i),
    timestampMs: 1_772_323_200_000,
    key: Buffer.from(`k${i}`),
    value: Buffer.from(i === 2 ? '{' : `{"v":"${i}"}`),
    headers: { trace: Buffer.from('abc') },
  })),
  [{ topic: 'orders', partition: 1, follows: undefined, first: 0n, last: 50n }],
)
await sink.close()

function dlq(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) =>
    execFile(process.execPath, [...programOf('src/cli/main.ts'), 'dlq', ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    ),
  )
}

test('Dead letters of a table are listed, shown and discarded; discarded ones are no longer listed', async () => {
  const [list, show, wrong] = await Promise.all([
    dlq('list', '--table', letters),
    dlq('show', '1/40', '--config', config),
    dlq('replay', '--table', letters),
  ])
  assert.equal(list.stdout.trim().split('\n').length, 4, list.stderr)
  assert.match(list.stdout, /1\/42 .* open +bytes +decode +expected JSON\\u001b\[31m/)
  assert.match(
    show.stdout,
    /offset +40\n[\s\S]*key +k0\nheaders +\{"trace":"abc"\}\nvalue\n\{\n {2}"v": "0"\n\}/,
  )
  assert.deepEqual([wrong.code, /--topic-entry must name an entry/.test(wrong.stderr)], [2, true])

  const discarded = await dlq('discard', '--config', config, '--reason', 'schema', '--yes')
  assert.match(discarded.stdout, /^2 dead letters were discarded/, discarded.stderr)
  const group = await dlq('group', '--config', config, '--json')
  const { letters: open, groups } = JSON.parse(group.stdout) as {
    letters: number
    groups: { reason: string }[]
  }
  assert.deepEqual([open, groups.map(({ reason }) => reason)], [1, ['decode']])
})

test('A value that is nested too deeply is shown as its text, and null headers as null', async () => {
  const table = join(folder, 'deep')
  const deep = await openDeadLetterTable(new TablePool((uri) => Promise.resolve(new LocalStore(uri))), {
    uri: table,
    appId: 'kafka-delta-deep',
    evolves: true,
  })
  const texts = [
    `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
    `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
    `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
    `{"a":${'['.repeat(50)}1${']'.repeat(50)}}`,
  ]
  await deep.write(
    texts.map((text, i) => ({
      reason: 'contract',
      message: 'too deep',
      topic: 'orders',
      partition: i,
      offset: 7n,
      timestampMs: 1_772_323_200_000,
      key: undefined,
      value: Buffer.from(text),
      headers: { none: null, empty: Buffer.from(''), many: [null, Buffer.from('1')] },
    })),
    [],
  )
  await deep.close()
  const [json, text] = await Promise.all([
    dlq('show', '7', '--table', table, '--json'),
    dlq('show', '7', '--table', table),
  ])
  assert.deepEqual([json.code, json.stderr, text.code, text.stderr], [0, '', 0, ''])
  const shown = JSON.parse(json.stdout) as { partition: number; headers: object; value: unknown }[]
  const values = shown.sort((a, b) => a.partition - b.partition).map(({ value }) => value)
  const cut = `${'['.repeat(100_000)}…`
  assert.deepEqual(values, [texts[0], texts[1], cut, JSON.parse(texts[3] ?? '')])
  assert.deepEqual(shown[0]?.headers, { none: null, empty: '', many: [null, '1'] })
  assert.match(text.stdout, /"none":null,"empty":"","many":\[null,"1"\]/)
})
