import { join } from 'node:path'
import { messageOf } from '../../../src/core/errors.ts'
import { compare } from './compare.ts'
import type { Night } from './night.ts'
import { NightProcess, type Heard } from './process.ts'
import { findLine, parseLine, type Evidence, type Line } from './said.ts'
import type { Act, Carried, Said, Scenario } from './scenario.ts'
import { Truth } from './truth.ts'
import { judge, untrue, type Judged } from './judge.ts'

/** What came of a scenario. */
export interface Outcome {
  readonly scenario: Scenario
  /** Everything that is not as it should be; empty when all is. */
  readonly wrong: readonly string[]
  readonly tookMs: number
  /** What the endpoints and the log said of the fault. */
  readonly evidence: Evidence | undefined
  /** The lines that the scenario wants, as they were. */
  readonly lines: readonly Line[]
  /** `undefined` where not all was said. */
  readonly saidAfterMs: number | undefined
  /** Every sample of `/readyz`. */
  readonly judged: readonly Judged[]
}

/** Every fault is said within this time, and so is its end. */
const KNOWN_MS_MAX = 10_000
/** How long a process may take until it says anything at all. */
const FIRST_WORD_MS_MAX = 30_000
/** A fault that is said later is waited for, so that its text is known. */
const LATE_MS_MAX = 5_000
const RECOVERED_MS_MAX = 30_000
const SETTLED_MS_MAX = 30_000
const END_MS_MAX = 20_000

/** Plays one scenario from its start to the comparison of its tables; never rejects. */
export async function play(scenario: Scenario, night: Night, knownMsMax = KNOWN_MS_MAX): Promise<Outcome> {
  const startMs = Date.now()
  const wrong: string[] = []
  let act: Act | undefined
  let played: Played | undefined
  try {
    act = await scenario.prepare(night)
    played = new Played(act, night, wrong, knownMsMax)
    await played.run(scenario.name)
  } catch (error) {
    wrong.push(messageOf(error))
  } finally {
    await played?.end()
    await act?.cleanUp?.().catch((error: unknown) => wrong.push(`clean up: ${messageOf(error)}`))
    await night.endScenario()
  }
  const evidence = played?.heard?.evidence
  return {
    scenario,
    wrong,
    tookMs: Date.now() - startMs,
    evidence,
    lines: (act?.said.lines ?? []).flatMap((wanted) => findLine(wanted, evidence?.lines ?? []) ?? []),
    saidAfterMs: played?.heard?.unmet.length === 0 ? played.heard.afterMs : undefined,
    judged: played?.judged ?? [],
  }
}

class Played {
  readonly #act: Act
  readonly #night: Night
  readonly #wrong: string[]
  readonly #knownMsMax: number
  #process: NightProcess | undefined
  #truth: Truth | undefined
  heard: Heard | undefined
  judged: readonly Judged[] = []

  constructor(act: Act, night: Night, wrong: string[], knownMsMax: number) {
    this.#act = act
    this.#night = night
    this.#wrong = wrong
    this.#knownMsMax = knownMsMax
  }

  async run(name: string): Promise<void> {
    const { config, program = this.#night.program, fault, begins, said, exit } = this.#act
    const { brokers } = (config as { readonly kafka: { readonly brokers: readonly string[] } }).kafka
    const process = await NightProcess.start(program, config, join(this.#night.folder, `${name}.json`))
    this.#process = process
    this.#truth = new Truth(brokers, this.#act.watched ?? this.#act.exact ?? [])
    // The time until it says anything is that of Node and of the machine.
    if (fault === undefined) await process.firstWord(FIRST_WORD_MS_MAX)
    else {
      await process.mustSay('commits before the fault', { code: 200, readiness: ['ready'] })
      if (begins !== 'idle') await this.#committed(process, this.#act.exact ?? [])
      process.mark()
      await fault(process)
    }
    this.heard = await this.#hear(process, said)
    if (exit !== undefined) {
      const code = await process.end(END_MS_MAX)
      if (code !== exit) this.#wrong.push(`expected exit code ${exit}, got ${code}`)
    } else if (process.isOver)
      throw new Error(`the service ended by itself: ${process.worker.lines.at(-1) ?? ''}`)
    else await this.#recover(process)
    await this.#compare()
  }

  /** Ends everything and judges what was sampled. */
  async end(): Promise<void> {
    const process = this.#process
    process?.worker.kill('SIGKILL')
    await this.#truth?.stop()
    if (process === undefined) return
    await process.worker.ended
    this.judged = this.#truth === undefined ? [] : judge(process.samples, this.#truth.facts, this.#knownMsMax)
    this.#wrong.push(...untrue(this.judged))
    const raw = process.worker.lines.filter((line) => parseLine(line) === undefined)
    if (raw.length > 0)
      this.#wrong.push(`${raw.length} lines of the log are not JSON: ${(raw[0] ?? '').slice(0, 120)}`)
  }

  async #hear(process: NightProcess, said: Said): Promise<Heard> {
    const heard = await process.says(said, this.#knownMsMax)
    if (heard.unmet.length === 0) return heard
    const late = process.isOver ? heard : await process.says(said, LATE_MS_MAX)
    if (late.unmet.length > 0) this.#wrong.push(...late.unmet.map((one) => `not said: ${one}`))
    else {
      const ms = heard.afterMs + late.afterMs
      this.#wrong.push(...heard.unmet.map((one) => `said after ${ms} ms only: ${one}`))
    }
    return { ...late, afterMs: heard.afterMs + late.afterMs }
  }

  async #recover(process: NightProcess): Promise<void> {
    const { during, remedy, recovered, exact = [] } = this.#act
    let settledMsMax = SETTLED_MS_MAX
    this.#wrong.push(...((await during?.(process)) ?? []))
    if (remedy !== undefined) {
      process.mark()
      await remedy(process)
      const { unmet } = await process.says(recovered ?? { code: 200, readiness: ['ready'] }, RECOVERED_MS_MAX)
      this.#wrong.push(...unmet.map((one) => `after the remedy: ${one}`))
      // What has not recovered by now does not catch up either.
      if (unmet.length > 0) settledMsMax = 2_000
    }
    await this.#night.stopFeeds()
    for (const { topic } of exact) {
      const open = await process.settled(this.#brokers(), topic, settledMsMax)
      if (open > 0) this.#wrong.push(`${topic}: the table lacks records of ${open} partitions at the end`)
    }
    const { ready } = await process.evidence()
    const hasFailed = Object.values(ready?.components.topics ?? {}).some(({ state }) => state === 'failed')
    process.worker.kill('SIGTERM')
    const code = await process.end(END_MS_MAX)
    // A process with a topic that failed ends with the code of its error.
    if (hasFailed ? typeof code !== 'number' || code === 0 : code !== 0)
      this.#wrong.push(`expected exit code ${hasFailed ? 'of the failure' : 0} after SIGTERM, got ${code}`)
  }

  /** Waits until every topic has rows in its table. */
  async #committed(process: NightProcess, exact: readonly Carried[]): Promise<void> {
    for (const { topic } of exact)
      await process.mustSay(`rows of ${topic}`, {
        metrics: [
          {
            name: 'kafka_delta_records_total',
            labels: { topic, outcome: 'row' },
            is: (value) => (value ?? 0) > 0,
          },
        ],
      })
  }

  async #compare(): Promise<void> {
    await this.#night.stopFeeds()
    for (const carried of this.#act.exact ?? [])
      this.#wrong.push(...(await compare(carried, this.#brokers(), this.#night)))
    this.#wrong.push(...((await this.#act.verify?.()) ?? []))
  }

  #brokers(): readonly string[] {
    return (this.#act.config as { readonly kafka: { readonly brokers: readonly string[] } }).kafka.brokers
  }
}
