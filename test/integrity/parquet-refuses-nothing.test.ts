// Goal: no record stops the stream at the Parquet file: what a file or the log cannot hold is a dead letter before.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { carryRecords } from '../support/service.ts'

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-extremes-'))
after(() => rm(folder, { recursive: true, force: true }))
const properties = {
  p: { type: 'string' },
  s: { type: 'string' },
  l: { type: 'integer' },
  d: { type: 'string', format: 'date' },
  t: { type: 'string', format: 'date-time' },
  n: { type: 'number' },
  b: { type: 'string', 'x-delta-type': 'binary' },
  dec: { type: 'number', 'x-delta-type': 'decimal(38,10)' },
  list: { type: 'array', items: { type: 'string' } },
}
await writeFile(join(folder, 'contract.json'), JSON.stringify({ type: 'object', properties }))

const TEXTS = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  'a\udc00b',
  '..',
  '../../a',
  '%2e',
  'a\nb',
  '\u0001\u007f',
  'é'.repeat(400),
  'x'.repeat(5_000),
]
const VALUES = [
  { l: Number.MAX_SAFE_INTEGER },
  { l: 2 ** 63 },
  { n: 1e308 },
  { n: -0 },
  { d: '0001-01-01' },
  { d: '9999-12-31' },
  { t: '0001-01-01T00:00:00Z' },
  { t: '9999-12-31T23:59:59.999999Z' },
  { b: 'AAAA' },
  { b: 'no base64' },
  { dec: 1e27 },
  { dec: 1e30 },
  { list: ['\ud800', ''] },
  { s: 'z'.repeat(3_000_000) },
]

for (const partitionColumns of [[], ['p'], ['t'], ['n'], ['dec']]) {
  test(`Extremes of every type become rows or dead letters of a table ${partitionColumns.length === 0 ? 'without partitions' : `by ${partitionColumns.join()}`}`, async () => {
    const records = [...TEXTS.flatMap((text) => [{ p: text }, { s: text, p: 'p' }]), ...VALUES]
    const { commits, deadLetters } = await carryRecords(records, {
      uri: `memory:extremes-${process.pid}-${partitionColumns.join()}`,
      more: {
        contract: join(folder, 'contract.json'),
        kafkaColumns: true,
        table: { uri: `memory:extremes-${process.pid}-${partitionColumns.join()}`, partitionColumns },
      },
    })
    const rows = commits.reduce((sum, { counts }) => sum + counts.rows, 0)
    assert.equal(rows + deadLetters.length, records.length)
    const messages = deadLetters.map(({ message }) => message.slice(0, 80))
    const illFormed = messages.filter((message) => message.includes('well-formed Unicode'))
    assert.equal(illFormed.length, 5, 'half of a surrogate pair is in five records')
    assert.ok(rows >= records.length - illFormed.length - 4, messages.join('\n'))
  })
}
