// Goal: whatever happens to a topic in whatever order, it ends with its credit and its table given back, no promise of it
// stays pending, and what it reports is consistent.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import type { TopicPhase } from '../../../src/service/topic/state.ts'
import { settled } from '../../support/flow/held-clock.ts'
import { TopicMachine } from '../../support/flow/topic-machine.ts'
import { chanceBy, chanceOf, type Chance } from '../../support/values/chance.ts'

let folder = ''
let contract = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kafka-delta-states-'))
  contract = join(folder, 'contract.json')
  await writeFile(contract, '{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}}')
})
after(() => rm(folder, { recursive: true, force: true }))

/** The phases that may follow each phase. */
const FOLLOWING: Readonly<Record<TopicPhase, readonly TopicPhase[]>> = {
  opening: ['opening', 'running', 'restarting', 'failed', 'ended'],
  running: ['restarting', 'failed', 'ended'],
  restarting: ['opening', 'ended'],
  failed: ['opening'],
  ended: [],
}

class Machine extends TopicMachine {
  constructor() {
    super(contract)
  }
}

const retryable = (): Error => new PipelineError('KD_STORE_UNAVAILABLE', 'expected an answer')
const permanent = (): Error => new PipelineError('KD_OFFSETS_VANISHED', 'expected the offsets')

/** Longest time that anything may take once nothing holds it back; only a fault reaches it. */
const SETTLE_MS_MAX = 20_000

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + SETTLE_MS_MAX
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** What may happen to a topic, by name. */
const STEPS: Readonly<Record<string, (machine: Machine, chance: Chance) => void | Promise<void>>> = {
  push: ({ kafka }, chance) =>
    kafka.push(Array.from({ length: 1 + chance.int(70) }, (_, id) => `{"id":${id}}`)),
  run: (machine) => machine.start(),
  pause: ({ run }) => run.control.pause(),
  resume: ({ run }) => run.control.resume(),
  flush: (machine) => machine.note('flush', machine.run.control.flush()),
  restart: ({ run }) => {
    const { phase } = run.status
    const mayRestart = ['failed', 'restarting'].includes(phase) && !run.control.stopSignal.aborted
    if (mayRestart) run.control.restart()
    else assert.throws(() => run.control.restart(), { code: 'KD_COMMAND_INVALID' })
  },
  'fail, retryable': ({ source }) => source?.fail(retryable()),
  'fail, permanent': ({ source }, chance) => {
    if (chance.once(8)) source?.fail(permanent())
  },
  'fail the next open': (machine, chance) => machine.failNextOpen(chance.once(8) ? permanent() : retryable()),
  'fail uploads': (machine, chance) => machine.setFault(chance.once(2) ? 'lost' : undefined),
  'flush into a failing store': (machine) => {
    machine.setFault('lost')
    machine.note('flush', machine.run.control.flush())
  },
  'fail the close': ({ source }) => {
    if (source !== undefined) source.closeError = new Error('the group did not answer')
  },
  hold: (machine) => machine.hold(),
  release: (machine) => machine.release(),
  'pass time': ({ clock }) => clock.advance(5_000),
  wait: () => settled(),
  'wait until it does nothing': (machine) => until('the end of its work', () => machine.isIdle),
  stop: ({ run }, chance) => {
    if (chance.once(6)) run.control.stop()
  },
  close: (machine, chance) => {
    if (chance.once(12)) machine.note('close', machine.run.close())
  },
}

/** The steps to choose from; what lets the topic move on is chosen more often. */
const CHOICES = [
  ...Object.keys(STEPS),
  ...['push', 'push', 'flush', 'release', 'pass time', 'pass time'],
  ...Array<string>(6).fill('wait until it does nothing'),
]

async function settles(what: string, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} never settles`)), SETTLE_MS_MAX)
  })
  try {
    await Promise.race([promise.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}

function assertConsistent({ run, phases, lasts, committed }: Machine): void {
  const { status } = run
  for (const [index, phase] of phases.entries()) {
    const before = phases[index - 1] ?? 'opening'
    assert.ok(FOLLOWING[before].includes(phase), `${before} → ${phase}`)
  }
  assert.equal(status.phase, phases.at(-1) ?? 'opening')
  assert.equal(status.restarts, phases.filter((phase) => phase === 'restarting').length)
  assert.equal(status.summary.counts.records, committed)
  for (const [index, last] of lasts.entries()) assert.ok(last > (lasts[index - 1] ?? -1n), 'offsets ascend')
  if (lasts.length > 0) assert.equal(committed, Number(lasts.at(-1)) + 1, 'each record is committed once')
  const { bytes } = status.buffered()
  assert.ok(bytes >= 0)
  if (status.phase !== 'running') assert.equal(bytes, 0)
}

/** Checks that a topic that runs commits everything and then holds no credit. */
async function assertDrained({ run, kafka, committed: before }: Machine, machine: Machine): Promise<void> {
  const deadlineMs = Date.now() + SETTLE_MS_MAX
  while (run.status.phase === 'running' && machine.committed < kafka.values.length) {
    await run.control.flush()
    await settled()
    assert.ok(
      Date.now() < deadlineMs,
      `${machine.committed} of ${kafka.values.length} records, from ${before}`,
    )
  }
  if (run.status.phase !== 'running') return
  await run.control.flush()
  assert.deepEqual([run.status.buffered().bytes, run.status.inFlight().flushes], [0, []], 'no credit is lost')
}

const SEQUENCES = 50
const STEPS_MAX = 40

test(`A topic survives ${SEQUENCES} random sequences of commands and failures`, async (t) => {
  const { seed } = chanceOf(t)
  let commits = 0
  let restarts = 0
  for (let sequence = 0; sequence < SEQUENCES; sequence++) {
    const chance = chanceBy(seed + sequence * 7919)
    const machine = new Machine()
    const { run, clock } = machine
    const done: string[] = []
    try {
      if (!chance.once(4)) machine.start()
      for (let left = chance.int(STEPS_MAX); left > 0; left--) {
        const name = chance.pick(CHOICES)
        done.push(name)
        await STEPS[name]?.(machine, chance)
        assertConsistent(machine)
      }
      // Nothing holds it back any more.
      machine.setFault(undefined)
      machine.release()
      run.control.resume()
      for (let wakes = 0; wakes < 5; wakes++) await clock.advance(5_000)
      await assertDrained(machine, machine)
      const closed = run.close()
      await settles('close', closed)
      for (const [name, promise] of machine.promises) await settles(name, promise)
      await settles('a late flush', run.control.flush())
      assertConsistent(machine)
      assert.deepEqual(
        machine.open,
        [0, 0, 0, 0],
        'stores, sources, sinks and shares of the budget are closed',
      )
      assert.ok(['ended', 'failed'].includes(run.status.state), run.status.state)
      assert.equal(machine.budget.taken, 0)
    } catch (error) {
      t.diagnostic(`sequence ${sequence} of seed ${seed}: ${done.join(', ')}`)
      throw error
    }
    commits += run.status.summary.commits
    restarts += run.status.restarts
  }
  t.diagnostic(`${commits} commits, ${restarts} restarts`)
  assert.ok(commits > SEQUENCES / 4 && restarts > SEQUENCES / 4, 'enough happened')
})

test('flush of a topic that restarts resolves once what it had read before is in the table', async () => {
  const machine = new Machine()
  const { run, kafka, clock } = machine
  machine.start()
  kafka.push(Array.from({ length: 30 }, (_, id) => `{"id":${id}}`))
  await until('the buffered batches', () => run.status.partitions()?.[0]?.next === 30n)
  machine.source?.fail(retryable())
  await until('the failure', () => run.status.state === 'restarting')
  let isFlushed = false
  const flushed = run.control.flush().then(() => (isFlushed = true))
  await settled()
  assert.equal(isFlushed, false)
  await clock.advance(5_000)
  await flushed
  assert.equal(machine.committed, 30)
  await run.close()
})

test('flush of a topic that opens waits until it runs, and rejects when it fails permanently instead', async () => {
  for (const error of [undefined, permanent()]) {
    const machine = new Machine()
    const { run } = machine
    machine.hold()
    if (error !== undefined) machine.failNextOpen(error)
    machine.start()
    let isFlushed = false
    const flushed = run.control.flush().then(() => (isFlushed = true))
    flushed.catch(() => undefined)
    await settled()
    assert.deepEqual([run.status.state, isFlushed], ['opening', false])
    machine.release()
    if (error === undefined) await flushed
    else await assert.rejects(flushed, error)
    assert.equal(run.status.state, error === undefined ? 'running' : 'failed')
    await run.close()
  }
})

test('A failed topic is restarted with fresh attempts and carries everything; one that waits for its restart starts at once', async () => {
  const machine = new Machine()
  const { run, kafka } = machine
  machine.failNextOpen(permanent())
  machine.start()
  await until('the failure', () => run.status.state === 'failed')
  kafka.push(Array.from({ length: 60 }, (_, id) => `{"id":${id}}`))
  run.control.restart()
  assert.throws(() => run.control.restart(), { code: 'KD_COMMAND_INVALID' })
  assert.equal(run.status.attempts, 1)
  await until('a commit', () => machine.committed >= 50)
  machine.source?.fail(new PipelineError('KD_COMMIT_CONTENDED', 'lost'))
  await until('the failure', () => run.status.state === 'restarting')
  run.control.restart()
  await until('the restart', () => run.status.phase === 'running')
  assert.equal(await run.control.flush(), undefined)
  assert.equal(machine.committed, 60)
  await run.close()
  assert.deepEqual(machine.open, [0, 0, 0, 0])
})

test('Outages restart a topic without limit, other failures only up to the maximum', async () => {
  for (const [error, isLimited] of [
    [retryable(), false],
    [new PipelineError('KD_COMMIT_CONTENDED', 'lost'), true],
  ] as const) {
    const machine = new Machine()
    const { run, clock } = machine
    machine.failNextOpen(error)
    machine.start()
    for (let failures = 1; failures <= 10; failures++) {
      await until('the failure', () => ['restarting', 'failed'].includes(run.status.state))
      if (run.status.state === 'failed') break
      machine.failNextOpen(error)
      await clock.advance(5_000)
    }
    await until('the failure', () => ['restarting', 'failed'].includes(run.status.state))
    assert.equal(run.status.state, isLimited ? 'failed' : 'restarting')
    await run.close()
  }
})

test('flush of a paused topic whose records were read before its restart says that they are not in the table', async () => {
  const machine = new Machine()
  const { run, kafka, clock } = machine
  machine.start()
  kafka.push(Array.from({ length: 30 }, (_, id) => `{"id":${id}}`))
  await until('the buffered batches', () => run.status.partitions()?.[0]?.next === 30n)
  run.control.pause()
  machine.source?.fail(retryable())
  await until('the failure', () => run.status.state === 'restarting')
  await clock.advance(5_000)
  await until('the restart', () => run.status.phase === 'running')
  assert.match((await run.control.flush()) ?? '', /paused.*not in the table/)
  run.control.resume()
  assert.equal(await run.control.flush(), undefined)
  assert.equal(machine.committed, 30)
  await run.close()
})
