// Goal: whatever is wrong, the first thing that an operator looks at says so, truly, within ten seconds, with the next step.
// Method: the quick scenarios of `npm run night`, against the servers of the run.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { PROGRAM } from '../e2e/support/carry.ts'
import { kafkaForTests, s3ForTests } from '../support/servers/servers.ts'
import { SCENARIOS } from './scenarios/index.ts'
import { Night } from './support/night.ts'
import { play } from './support/play.ts'

/** Longer than what `npm run night` allows: how busy the machine is must not decide a test. */
const KNOWN_MS_MAX = 40_000

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-night-'))
after(() => rm(folder, { recursive: true, force: true }))
const servers = { brokers: await kafkaForTests(), s3: await s3ForTests() }

describe('What is wrong is said by /readyz, /status, /metrics and the log', { concurrency: 2 }, () => {
  for (const scenario of SCENARIOS.filter(({ isShort }) => isShort === true))
    it(scenario.fault, async (t) => {
      const say = (line: string): void => t.diagnostic(line)
      // Scenarios that run at the same time must not end each other's feeds.
      const night = new Night({ folder, program: PROGRAM, say, servers })
      const { wrong } = await play(scenario, night, KNOWN_MS_MAX)
      assert.deepEqual(wrong, [])
    })
})
