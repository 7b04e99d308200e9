import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceEvent } from '../../../src/kafka/source/source-options.ts'
import { createEventLog } from '../../../src/service/topic/event-log.ts'
import { createLogger } from '../../../src/telemetry/log.ts'

interface Line {
  readonly level: string
  readonly msg: string
  readonly occurrences?: number
}

function listening(): { lines: Line[]; tell: (event: SourceEvent) => void } {
  const lines: Line[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line)
  const handle = createEventLog(createLogger({ level: 'debug', pretty: false, destination: { write } }))
  return { lines, tell: (event) => handle({ kind: 'source', event }) }
}

const error = new Error('no response (broker a:1)')

test('Requests without a response, silence and its end are details: the circuit of the process has a line for them', () => {
  const { lines, tell } = listening()
  for (let times = 0; times < 100; times++) tell({ kind: 'restarting', error })
  tell({ kind: 'brokers-silent', error })
  tell({ kind: 'brokers-answer' })
  tell({ kind: 'rebalancing' })
  assert.deepEqual([lines.length, new Set(lines.map(({ level }) => level))], [103, new Set(['debug'])])
})

test('Assigned partitions are logged when they change', () => {
  const { lines, tell } = listening()
  for (const partitions of [[0, 1], [0, 1], [1], [], []]) tell({ kind: 'assigned', partitions })
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['info', 'debug', 'info', 'info', 'debug'],
  )
  assert.match(lines.at(-1)?.msg ?? '', /^No partitions assigned/)
})

test('Offsets that cannot be copied are a warning at first, and then at most once a minute', () => {
  const { lines, tell } = listening()
  for (let times = 0; times < 10; times++) tell({ kind: 'offsets-failed', error })
  const warnings = lines.filter(({ level }) => level === 'warn')
  assert.deepEqual([lines.length, warnings.length, warnings[0]?.occurrences], [10, 1, 1])
})
