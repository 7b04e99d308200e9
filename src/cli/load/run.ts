import type { Config } from '../../../config/types.ts'
import { systemClock } from '../../core/clock.ts'
import { createTopic } from '../../kafka/client/admin.ts'
import { openSender, type Sender } from '../../kafka/produce/sender.ts'
import { generateRecords, TIMESTAMP_JITTER_MS } from '../../sample/event.ts'
import { SAMPLE_KINDS } from '../../sample/kinds.ts'
import { createUnlimitedRate, createRateLimiter } from '../../sample/rate-limiter.ts'
import { NOTHING_PRODUCED, produceEvents, type ProducedTotals } from '../../sample/produce.ts'
import { kafkaOptionsOf } from '../../service/connections/kafka-options.ts'
import { createLogger } from '../../telemetry/log.ts'
import { showLoadProgress } from './progress.ts'
import { formatLoadTotals, loadTotalsOf, type LoadTotals } from './report.ts'
import { badEveryOf } from './flags.ts'
import { type LoadTarget } from './flags.ts'
import { type LoadFlags } from './flags.ts'
import { print, printJson } from '../output.ts'

/** Every n-th event of a topic carries a `traceparent` header: rare enough that a flush can link every trace. */
const TRACEPARENT_EVERY = 500
/** Days that event times span before they start over. */
const DAYS = 3_650
/** Time between events without a rate, in milliseconds: small enough that event times do not run ahead of the clock. */
const FULL_STEP_MS = 0.01
/** Batches sent and not acknowledged yet, of each target. */
const BATCHES_IN_FLIGHT_MAX = 8
/** Time to wait for acknowledgements of sent records when sending ends, in milliseconds. */
const END_MS_MAX = 10_000

interface Load extends LoadTarget {
  readonly sender: Sender
  produced: ProducedTotals
}

/**
 * Sends events to all targets concurrently until the count, the duration or a signal ends it; a second signal
 * ends the process. Progress is written to standard error, the totals to standard output, also after an
 * error.
 */
export async function runLoad(
  targets: readonly LoadTarget[],
  flags: LoadFlags,
  config: Config,
): Promise<void> {
  const log = createLogger({ level: config.log.level === 'info' ? 'error' : config.log.level })
  const kafka = kafkaOptionsOf(config.kafka, log)
  const compression = flags.compression === 'none' ? {} : { compression: flags.compression }
  const stopping = new AbortController()
  const stop = (): void => {
    stopping.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  const loads: Load[] = []
  try {
    for (const target of targets) {
      if (flags.partitions !== undefined)
        await createTopic(kafka, target.topic, { partitions: flags.partitions })
      const sender = await openSender({ ...kafka, topic: target.topic, ...compression })
      loads.push({ ...target, sender, produced: NOTHING_PRODUCED })
    }
    await sendAll(loads, flags, stopping)
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, stop)
    await Promise.race([Promise.allSettled(loads.map(({ sender }) => sender.close())), pause(END_MS_MAX)])
  }
}

async function sendAll(loads: readonly Load[], flags: LoadFlags, stopping: AbortController): Promise<void> {
  const seed = flags.seed ?? Date.now() & 0x7fff_ffff
  const startMs = performance.now()
  const timer =
    flags.duration === undefined ? undefined : setTimeout(() => stopping.abort(), flags.duration * 1_000)
  const sums = (): LoadTotals => loadTotalsOf(loads, seed, performance.now() - startMs)
  const progress = showLoadProgress(flags, sums)
  try {
    const sending = loads.map((load, index) =>
      sendTo(load, flags, { seed, index, of: loads.length, stopping }),
    )
    await Promise.race([Promise.all(sending), afterEnd(stopping.signal)])
  } finally {
    stopping.abort()
    clearTimeout(timer)
    progress.end()
    if (flags.json === true) await printJson(sums())
    else await print(formatLoadTotals(sums()))
  }
}

/** Sends one target's share of the events: rate and count apply to all targets together. */
async function sendTo(
  load: Load,
  flags: LoadFlags,
  place: {
    readonly seed: number
    readonly index: number
    readonly of: number
    readonly stopping: AbortController
  },
): Promise<void> {
  const { signal } = place.stopping
  const perSecond = flags.rate === undefined ? undefined : flags.rate / place.of
  const pace =
    perSecond === undefined ? createUnlimitedRate(signal) : createRateLimiter(perSecond, systemClock, signal)
  const badEvery = badEveryOf(flags)
  const { count, schemaId } = flags
  const events = generateRecords(SAMPLE_KINDS[load.kind].kind, {
    seed: place.seed + place.index,
    startMs: flags.start ?? Date.now() - TIMESTAMP_JITTER_MS,
    stepMs: perSecond === undefined ? FULL_STEP_MS : 1_000 / perSecond,
    days: DAYS,
    traceparentEvery: TRACEPARENT_EVERY,
    // The remainder goes to the first targets.
    ...(count === undefined ? {} : { count: Math.ceil((count - place.index) / place.of) }),
    ...(badEvery === undefined ? {} : { badEvery }),
    ...(schemaId === undefined ? {} : { schemaId }),
  })
  await produceEvents(events, load.sender, {
    inFlightMax: BATCHES_IN_FLIGHT_MAX,
    rateLimiter: pace,
    onSent: (produced) => {
      load.produced = produced
    },
  })
}

/** Resolves `END_MS_MAX` after the signal is aborted. */
function afterEnd(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => void pause(END_MS_MAX).then(resolve), { once: true })
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
