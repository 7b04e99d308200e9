import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { sourceFailureOf, SourceReporter } from '../../../src/kafka/source/source-events.ts'
import type { SourceEvent } from '../../../src/kafka/source/source-options.ts'

const UNREACHABLE = new PipelineError('KD_KAFKA_UNREACHABLE', 'no response')

const clock = { nowMs: 1_000, now: () => clock.nowMs, sleep: () => Promise.resolve() }

function listening(): { events: SourceEvent[]; lines: string[]; reporter: SourceReporter } {
  const events: SourceEvent[] = []
  const lines: string[] = []
  const write =
    (level: string) =>
    (_: object, message: string): void => {
      lines.push(`${level}: ${message}`)
    }
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  const options = { groupId: 'g', log, onEvent: (event: SourceEvent) => events.push(event) }
  return { events, lines, reporter: new SourceReporter(options, clock) }
}

const RETRYING = {
  kind: 'retrying',
  step: 'join',
  reason: 'COORDINATOR_LOAD_IN_PROGRESS',
  pauseMs: 100,
} as const

test('a request to the coordinator without a response is an event with its error, a refusal is none', () => {
  const { events, reporter } = listening()
  reporter.onGroupEvent({ ...RETRYING, attempt: 0 }, [])
  assert.deepEqual(events, [])
  reporter.onGroupEvent({ ...RETRYING, attempt: 0, error: UNREACHABLE }, [])
  reporter.onFetchEvent({ kind: 'broker-failed', nodeId: 1, error: UNREACHABLE })
  assert.deepEqual(events, [
    { kind: 'restarting', error: UNREACHABLE },
    { kind: 'restarting', error: UNREACHABLE },
  ])
})

test('refusals that last are warnings, at most one a minute of each kind; single ones are details', () => {
  const { lines, reporter } = listening()
  for (let refusals = 1; refusals <= 40; refusals++) {
    reporter.onGroupEvent({ ...RETRYING, attempt: refusals - 1 }, [])
    reporter.onFetchEvent({
      kind: 'refused',
      topic: 'a',
      partition: 0,
      reason: 'KAFKA_STORAGE_ERROR',
      refusals,
    })
  }
  const warnings = (): string[] => lines.filter((line) => line.startsWith('warn'))
  assert.deepEqual(warnings().sort(), [
    'warn: A broker refuses to serve partition 0 (KAFKA_STORAGE_ERROR); the request is repeated',
    'warn: The coordinator of the consumer group g refuses the request to join: COORDINATOR_LOAD_IN_PROGRESS; the request is repeated',
  ])
  assert.equal(lines.length, 80)
  clock.nowMs += 60_000
  reporter.onGroupEvent({ ...RETRYING, attempt: 40 }, [])
  assert.equal(warnings().length, 3)
})

test('silent and answering brokers are events, and while they are silent the coordinator is no warning', () => {
  const { events, lines, reporter } = listening()
  reporter.onAnswers({ isAnswering: false, error: UNREACHABLE })
  for (let attempt = 0; attempt <= 20; attempt++)
    reporter.onGroupEvent({ ...RETRYING, attempt, error: UNREACHABLE }, [])
  assert.deepEqual(
    lines.filter((line) => line.startsWith('warn')),
    [],
  )
  assert.deepEqual(reporter.obstacle('joining'), { sinceMs: clock.nowMs, reason: UNREACHABLE.message })
  reporter.onAnswers({ isAnswering: true })
  assert.deepEqual(
    events.filter(({ kind }) => kind !== 'restarting'),
    [{ kind: 'brokers-silent', error: UNREACHABLE }, { kind: 'brokers-answer' }],
  )
})

test('a coordinator that does not serve a member is an obstacle until the member is stable, since its first refusal', () => {
  const { reporter } = listening()
  assert.equal(reporter.obstacle(undefined), undefined)
  reporter.onGroupEvent({ ...RETRYING, attempt: 0 }, [])
  const sinceMs = clock.nowMs
  clock.nowMs += 500
  reporter.onGroupEvent({ ...RETRYING, attempt: 1, reason: 'no response', error: UNREACHABLE }, [])
  const reason = 'the coordinator of the consumer group g does not answer the request to join: no response'
  assert.deepEqual(reporter.obstacle('joining'), { sinceMs, reason })
  assert.equal(reporter.obstacle('stable'), undefined)
  reporter.onGroupEvent({ ...RETRYING, attempt: 0 }, [])
  reporter.onGroupEvent({ kind: 'settled' }, [])
  assert.equal(reporter.obstacle('joining'), undefined)
})

test('a coordinator that refused a join once is no obstacle while the join waits for other members', () => {
  const { reporter } = listening()
  reporter.onGroupEvent({ ...RETRYING, attempt: 0 }, [])
  clock.nowMs += 10_000
  assert.match(reporter.obstacle('joining')?.reason ?? '', /COORDINATOR_LOAD_IN_PROGRESS/)
  clock.nowMs += 1
  assert.equal(reporter.obstacle('joining'), undefined)
  reporter.onGroupEvent({ ...RETRYING, attempt: 0, error: UNREACHABLE }, [])
  clock.nowMs += 60_000
  assert.match(reporter.obstacle('joining')?.reason ?? '', /does not answer/)
  reporter.onGroupEvent({ kind: 'coordinator', nodeId: 2 }, [])
  assert.equal(reporter.obstacle('joining'), undefined)
})

test('a member that settles reports its partitions when they are others than before, also when they are none', () => {
  const { events, reporter } = listening()
  reporter.onGroupEvent({ kind: 'settled' }, [])
  reporter.onAssigned([2, 10, 1])
  reporter.onGroupEvent({ kind: 'settled' }, [10, 2, 1])
  reporter.onGroupEvent({ kind: 'settled' }, [10])
  assert.deepEqual(
    events.map((event) => (event.kind === 'assigned' ? event.partitions : event.kind)),
    [[], [1, 2, 10], [10]],
  )
})

test('an error keeps its code; a thrown value of another type becomes KD_SOURCE_FAILED', () => {
  const place = { topic: 'a', groupId: 'g' }
  assert.equal(sourceFailureOf(UNREACHABLE, place), UNREACHABLE)
  const fault = new TypeError('a programming error')
  const { code, cause, context } = sourceFailureOf(fault, place)
  assert.deepEqual([code, cause, context], ['KD_SOURCE_FAILED', fault, place])
})
