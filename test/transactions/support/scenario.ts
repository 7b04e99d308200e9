import { join } from 'node:path'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import type { Isolation } from '../../../src/kafka/records/read-records.ts'
import { chanceBy, type Chance } from '../../support/values/chance.ts'
import { withoutHeaders } from './lines.ts'
import { carryAll, killAfterMs, stopAfterCommits, stopAfterMs, type ServiceRun } from './runs.ts'
import { linesOfTable } from './table.ts'
import type { JavaReading, Writers } from './writers.ts'

const ISOLATIONS = ['read_committed', 'read_uncommitted'] as const
const FETCH_BYTES = [1_024, 5_000, 20_000, 200_000, 1_048_576] as const
const FLUSH_COUNTS = [20, 100, 500, 5_000] as const
/** Longest time that a run may last before it is stopped or killed. */
const END_MS_MAX = 400

/** What a scenario needs. */
export interface ScenarioSetting {
  readonly brokers: readonly string[]
  readonly writers: Writers
  readonly topic: string
  /** An empty folder for tables and configurations. */
  readonly folder: string
  readonly seed: number
  /** How the service is called in runs that are killed, such as `['node', 'dist/command/main.js']`. */
  readonly program: readonly string[]
  /** True if some runs are processes that are killed. */
  readonly hasKills: boolean
}

/** What a scenario went through. */
export interface ScenarioFindings {
  /** Records that Java's consumer reads with `read_committed`. */
  readonly committed: number
  /** Records that it reads with `read_uncommitted` only. */
  readonly uncommitted: number
  readonly runs: number
  /** Runs that were stopped before the end of the topic. */
  readonly stopped: number
  readonly killed: number
}

/**
 * Writes interleaved transactions to a topic and carries it into a table for each isolation, in several runs. Then ends the
 * transactions that were kept open and continues both tables.
 * @throws Error if a table does not hold exactly the records that Java's consumer reads
 */
export async function compareTables(setting: ScenarioSetting): Promise<ScenarioFindings> {
  const { brokers, writers, topic, seed } = setting
  const chance = chanceBy(seed)
  const partitions = 1 + chance.int(4)
  const open = chance.once(2) ? 1 + chance.int(3) : 0
  await createTopic({ brokers, clientId: 'test' }, topic, { partitions })
  await writers.write(topic, {
    partitions,
    seed,
    steps: 30 + chance.int(120),
    open,
    transactions: 5 + chance.int(15),
  })
  const counts = { runs: 0, stopped: 0, killed: 0 }
  // A process that starts after a kill takes the place of the killed one.
  const isStatic = chance.once(2) || setting.hasKills
  const carried: Carried = { setting, chance, counts, isStatic }
  let reading = await writers.read(topic, partitions)
  for (const isolation of ISOLATIONS) await carryAndCompare(carried, isolation, reading)
  // Producers without an open transaction end here too.
  await writers.finish(topic)
  if (open > 0) {
    reading = await writers.read(topic, partitions)
    for (const isolation of ISOLATIONS) await carryAndCompare(carried, isolation, reading)
  }
  const committed = countOf(reading, 'read_committed')
  return { committed, uncommitted: countOf(reading, 'read_uncommitted') - committed, ...counts }
}

interface Carried {
  readonly setting: ScenarioSetting
  readonly chance: Chance
  readonly counts: { runs: number; stopped: number; killed: number }
  readonly isStatic: boolean
}

async function carryAndCompare(
  { setting: { brokers, topic, folder, program, hasKills }, chance, counts, isStatic }: Carried,
  isolation: Isolation,
  reading: JavaReading,
): Promise<void> {
  const uri = join(folder, topic, isolation)
  const nextRun = (): ServiceRun => ({
    brokers,
    topic,
    uri,
    groupId: `${topic}-${isolation}`,
    isStatic,
    isolation,
    fetchBytes: chance.pick(FETCH_BYTES),
    flushCount: chance.pick(FLUSH_COUNTS),
  })
  for (let stops = chance.int(3); stops > 0; stops--) {
    const run = nextRun()
    const isStopped = chance.once(2)
      ? await stopAfterCommits(run, 1 + chance.int(3))
      : await stopAfterMs(run, chance.int(END_MS_MAX))
    counts.runs++
    if (isStopped) counts.stopped++
  }
  if (hasKills) {
    const ms = chance.int(END_MS_MAX)
    counts.runs++
    if (await killAfterMs(nextRun(), program, `${uri}.json`, ms)) counts.killed++
  }
  counts.runs++
  await carryAll(nextRun())
  const found = await linesOfTable(uri, reading.seen[isolation].length)
  for (const [partition, lines] of reading.seen[isolation].entries()) {
    const difference = differenceOf(found[partition] ?? [], lines.map(withoutHeaders))
    if (difference !== undefined) throw new Error(`${isolation}, partition ${partition}: ${difference}`)
  }
}

/** Describes how a table differs, without the thousands of lines that are equal. */
function differenceOf(found: readonly string[], expected: readonly string[]): string | undefined {
  const at = expected.findIndex((line, index) => line !== found[index])
  if (at < 0 && found.length === expected.length) return undefined
  const [foundSet, expectedSet] = [new Set(found), new Set(expected)]
  const missing = expected.filter((line) => !foundSet.has(line)).length
  const wrong = found.filter((line) => !expectedSet.has(line)).length
  const first = at < 0 ? expected.length : at
  return (
    `${missing} missing, ${wrong} wrong, ${found.length - foundSet.size} twice; ` +
    `first: expected ${expected[first] ?? 'no more'}, got ${found[first] ?? 'no more'}`
  )
}

function countOf({ seen }: JavaReading, isolation: Isolation): number {
  return seen[isolation].reduce((sum, lines) => sum + lines.length, 0)
}
