import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../../src/sample/random.ts'
import { startWorker } from '../../integrity/support/worker.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { startLoad, topicFilled } from './load.ts'
import { assertExact, BUDGET_BYTES, topicOf, type Setting } from './scenario.ts'

/** The longest that a process may have run when it gets its signal. */
const RUN_MS_MAX = 4_000
const DEADLINE_MS = 25_000
/** What a shell has set for trying things out would win over the configuration. */
const ENV = { KAFKA_BOOTSTRAP_SERVERS: '' }

/**
 * SIGTERM again and again, at random moments under full input: each time the process ends with 0 within the deadline, and
 * in the end the table is exact.
 */
export async function sigterms(
  setting: Setting & { readonly brokers: readonly string[]; readonly times: number },
): Promise<void> {
  const { program, folder, brokers, rate, seed, times, say } = setting
  const random = seededRandom(seed)
  const topic = nameForTests('sigterms')
  const flags = ['--partitions', '3', '--rate', String(rate), '--bad-every', '500', '--seed', String(seed)]
  const load = startLoad(program, brokers, ['-t', topic, ...flags])
  const path = join(folder, 'sigterms.json')
  const uri = join(folder, 'table')
  try {
    await topicFilled(brokers, topic)
    const config = {
      kafka: { brokers, groupId: topic },
      log: { level: 'debug' },
      shutdown: { deadlineMs: DEADLINE_MS },
      budget: { bytes: BUDGET_BYTES },
      topics: { events: topicOf(topic, uri) },
    }
    await writeFile(path, JSON.stringify(config))
    for (let time = 1; time <= times; time++) {
      const worker = startWorker(program, ['run', '--config', path], ENV)
      // Mostly while records flow, now and then while it starts.
      const isStarting = random() % 4 === 0
      await worker.saw(isStarting ? 'Starting kafka-delta' : 'Partitions assigned')
      const afterMs = random() % (isStarting ? 500 : RUN_MS_MAX)
      await sleep(afterMs)
      const begunMs = Date.now()
      worker.kill('SIGTERM')
      const code = await worker.ended
      const tookMs = Date.now() - begunMs
      const commits = worker.lines.filter((line) => line.includes('"Flush committed"')).length
      say(
        `  SIGTERM ${time} of ${times}: ${afterMs} ms after ${isStarting ? 'its start' : 'the assignment'}, ${commits} commits, ended after ${tookMs} ms`,
      )
      assert.equal(code, 0, `seed ${seed}, SIGTERM ${time}:\n${worker.lines.slice(-15).join('\n')}`)
      assert.ok(tookMs < DEADLINE_MS, `within the deadline, got ${tookMs} ms`)
    }
    await load.stop()
    const last = startWorker(program, ['run', '--config', path, '--until', 'latest'], ENV)
    assert.equal(await last.ended, 0, last.lines.slice(-15).join('\n'))
    await assertExact(setting, { brokers, topic, uri })
  } finally {
    await load.stop().catch(() => undefined)
  }
}
