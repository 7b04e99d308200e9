import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import {
  reportAnswers,
  reportFetchRefusal,
  reportGroupEvent,
  sourceFailureOf,
} from '../../../src/kafka/source/source-events.ts'
import type { SourceEvent } from '../../../src/kafka/source/source-options.ts'

const UNREACHABLE = new PipelineError('KD_KAFKA_UNREACHABLE', 'no response')

function listening(): {
  events: SourceEvent[]
  lines: string[]
  options: Parameters<typeof reportGroupEvent>[1]
} {
  const events: SourceEvent[] = []
  const lines: string[] = []
  const write =
    (level: string) =>
    (_: object, message: string): void => {
      lines.push(`${level}: ${message}`)
    }
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  return { events, lines, options: { log, onEvent: (event) => events.push(event) } }
}

test('a request to the coordinator without a response is an event with its error, a refusal is none', () => {
  const { events, options } = listening()
  const retrying = {
    kind: 'retrying',
    step: 'commit',
    reason: 'REBALANCE_IN_PROGRESS',
    pauseMs: 100,
  } as const
  reportGroupEvent({ ...retrying, attempt: 0 }, options)
  assert.deepEqual(events, [])
  reportGroupEvent({ ...retrying, attempt: 0, error: UNREACHABLE }, options)
  assert.deepEqual(events, [{ kind: 'restarting', error: UNREACHABLE }])
})

test('refusals that last are warnings: every tenth of a request', () => {
  const { lines, options } = listening()
  for (let attempt = 0; attempt <= 20; attempt++)
    reportGroupEvent(
      { kind: 'retrying', step: 'join', reason: 'COORDINATOR_LOAD_IN_PROGRESS', pauseMs: 1, attempt },
      options,
    )
  for (let refusals = 1; refusals <= 20; refusals++)
    reportFetchRefusal(
      { kind: 'refused', topic: 'a', partition: 0, reason: 'KAFKA_STORAGE_ERROR', refusals },
      options,
    )
  assert.deepEqual(
    lines.filter((line) => line.startsWith('warn')),
    [
      ...Array<string>(2).fill(
        'warn: The coordinator of the consumer group refuses a request; it is repeated',
      ),
      ...Array<string>(2).fill('warn: A broker refuses to serve a partition; the request is repeated'),
    ],
  )
})

test('silent and answering brokers are events', () => {
  const { events, options } = listening()
  reportAnswers({ isAnswering: false, error: UNREACHABLE }, options)
  reportAnswers({ isAnswering: true }, options)
  assert.deepEqual(events, [{ kind: 'brokers-silent', error: UNREACHABLE }, { kind: 'brokers-answer' }])
})

test('an error keeps its code; a thrown value of another type becomes KD_SOURCE_FAILED', () => {
  const place = { topic: 'a', groupId: 'g' }
  assert.equal(sourceFailureOf(UNREACHABLE, place), UNREACHABLE)
  const fault = new TypeError('a programming error')
  const { code, cause, context } = sourceFailureOf(fault, place)
  assert.deepEqual([code, cause, context], ['KD_SOURCE_FAILED', fault, place])
})
