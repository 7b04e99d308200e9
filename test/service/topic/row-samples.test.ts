import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { from, lastValueFrom, toArray } from 'rxjs'
import { decode } from '../../../operators/decode.ts'
import { validate } from '../../../operators/validate.ts'
import { loadContract } from '../../../src/contract/contract.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { sampleRows } from '../../../src/service/topic/row-samples.ts'
import { createLogger, logLevelsOf, createTopicLogger, type Logger } from '../../../src/telemetry/log.ts'
import { rawBatch } from '../../support/flow/batches.ts'

const contract = loadContract(
  {
    type: 'object',
    properties: { id: { type: 'integer' }, email: { type: 'string' }, note: { type: 'string' } },
  },
  { source: 'test' },
)

function captured(): { readonly log: Logger; readonly lines: () => Record<string, unknown>[] } {
  let text = ''
  const destination = new Writable({
    write(piece: Buffer, _, done) {
      text += piece.toString()
      done()
    },
  })
  const log = createTopicLogger(
    createLogger({ level: 'info', pretty: false, destination }),
    'events',
    undefined,
  )
  const lines = (): Record<string, unknown>[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { log, lines }
}

test('Rows are logged while the level of the topic is debug, at the configured rate and with masked fields', async () => {
  const { log, lines } = captured()
  let nowMs = 0
  const clock = { now: () => nowMs, sleep: () => Promise.resolve() }
  const rows = sampleRows({ samplesPerMinute: 2, mask: ['email'] }, log, clock)
  assert.ok(rows !== undefined, 'samples are configured')
  const batches = Array.from({ length: 10 }, (_, i) =>
    rawBatch([JSON.stringify({ id: i, email: 'ada@example.org', note: 'n'.repeat(100) })]),
  )
  const pass = async (): Promise<number> => {
    const passing = from(batches).pipe(decode(jsonFormat(contract)), validate(contract), rows, toArray())
    return (await lastValueFrom(passing)).length
  }
  assert.equal(await pass(), 10)
  assert.deepEqual(lines(), [], 'no rows are logged at level info')
  logLevelsOf(log)?.set('debug', 'events')
  await pass()
  await pass()
  assert.equal(lines().length, 1)
  nowMs = 30_000
  assert.equal(await pass(), 10)
  const [first, second] = lines()
  assert.equal(lines().length, 2)
  assert.equal(first?.['topic'], 'events')
  assert.deepEqual(first['row'], { id: 0, email: '[masked]', note: `${'n'.repeat(64)}… (100 characters)` })
  assert.deepEqual([second?.['partition'], second?.['offset']], [0, '0'])
})

test('Without row samples there is no operator', () => {
  assert.deepEqual(sampleRows({ mask: [] }, captured().log), undefined)
})
