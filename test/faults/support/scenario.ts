import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { isExact, verify } from '../../integrity/support/verify.ts'
import { expectedOf } from './load.ts'
import { valueOf, type Look, type WatchedService } from './service.ts'

/** What every scenario works with. */
export interface Setting {
  /** How kafka-delta is called. */
  readonly program: readonly string[]
  /** An empty folder of its own. */
  readonly folder: string
  /** Records a second that the load generator sends, all topics together. */
  readonly rate: number
  /** How long a server is gone, in milliseconds. */
  readonly outageMs: number
  /** Options `circuit` of the service; the defaults when absent. */
  readonly circuit?: object
  readonly seed: number
  readonly say: (line: string) => void
}

/** Resident memory of the service that no outage may reach: Node, Arrow and Parquet with the budget, at ease. */
export const PEAK_MIB_MAX = 700
/** The process's budget in the scenarios. */
export const BUDGET_BYTES = 64 * 1024 * 1024
/** By what part of the budget columns may turn out larger than was foreseen when their records were read. */
const OUTGROWN = 0.05
/** Short pauses, so that a scenario ends soon after the outage. */
export const RETRY = { baseMs: 100, capMs: 1_000 }

/** A topic of user events with small flushes; `more` is laid over. */
export function topicOf(topic: string, uri: string, more: object = {}): object {
  return {
    topic,
    contract: resolve('schemas/user-events.schema.json'),
    kafkaColumns: true,
    flush: { ageMs: 500 },
    retry: RETRY,
    ...more,
    table: { uri, ...('table' in more ? (more.table as object) : {}) },
  }
}

/** Records of a topic that are in its table or its dead letters, by the service's own count. */
export function committed(look: Look, topic: string): number {
  return valueOf(look, 'kafka_delta_records_total', { topic })
}

/** Waits until all of a topic is in its table, by count and by lag. */
export function settled(service: WatchedService, topic: string, records: number): Promise<Look> {
  return service.until(
    `${records} records of ${topic} in the table`,
    (look) =>
      committed(look, topic) >= records &&
      valueOf(look, 'kafka_delta_lag', { topic }) === 0 &&
      look.code === 200,
  )
}

/** Asserts that the table and the dead letters hold exactly what the topic holds: nothing lost, nothing twice, no good record among the dead. */
export async function assertExact(
  setting: Setting,
  where: {
    readonly brokers: readonly string[]
    readonly topic: string
    readonly uri: string
    /** Default: that of the topic. */
    readonly deadLetterTopic?: string
  },
  env: NodeJS.ProcessEnv = {},
): Promise<number> {
  const { brokers, topic, uri, deadLetterTopic = `${topic}-dlq` } = where
  const expected = await expectedOf(brokers, topic)
  const found = await verify(expected, {
    program: setting.program,
    brokers,
    uri,
    env,
    deadLetterTopic,
  })
  assert.ok(expected.good > 0 && expected.bad > 0, `${topic} has good and bad records`)
  assert.ok(
    isExact(found, expected),
    `${topic}: expected ${expected.good} and ${expected.bad}, found ${JSON.stringify(found)}`,
  )
  setting.say(`  ${topic}: exact, ${found.rows} rows and ${found.letters} dead letters`)
  return found.rows
}

/** Asserts that the service came through alive and within its memory, ends by SIGTERM with 0, and says what it needed. */
export async function assertUnharmed(setting: Setting, service: WatchedService): Promise<void> {
  assert.ok(service.fullest <= 1 + OUTGROWN, `the budget is kept, got ${service.fullest} of it`)
  assert.equal(await service.stop(), 0, service.worker.lines.slice(-15).join('\n'))
  const peak = service.worker.peakMiB()
  assert.ok(peak < PEAK_MIB_MAX, `at most ${PEAK_MIB_MAX} MiB resident, got ${peak.toFixed(0)}`)
  for (const [topic, states] of service.topics) {
    const bad = [...states].filter((state) => state === 'failed' || state === 'restarting')
    assert.deepEqual(bad, [], `${topic} was never begun anew`)
  }
  setting.say(
    `  peak ${peak.toFixed(0)} MiB resident, ${(service.fullest * 100).toFixed(0)} % of the budget, /readyz: ${service.seen.join(', ')}`,
  )
}
