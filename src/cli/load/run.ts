import type { Config } from '../../../config/types.ts'
import { systemClock } from '../../core/clock.ts'
import { createTopic } from '../../kafka/client/admin.ts'
import { openSender, type Sender } from '../../kafka/client/producer.ts'
import { SPREAD_MS } from '../../sample/event.ts'
import { KINDS } from '../../sample/kinds.ts'
import { fullPace, steadyPace } from '../../sample/pace.ts'
import { NOTHING_PRODUCED, produceEvents, type Produced } from '../../sample/produce.ts'
import { kafkaOptions } from '../../service/connections/kafka-options.ts'
import { createLogger } from '../../telemetry/log.ts'
import { showLoad } from './progress.ts'
import { loadText, sumsOf, type Loaded } from './report.ts'
import { badEveryOf } from './flags.ts'
import { type LoadTarget } from './flags.ts'
import { type LoadFlags } from './flags.ts'
import { print, printJson } from '../output.ts'

/** Every so many events of a topic one carries a `traceparent` header: few enough that a flush can link them all. */
const TRACEPARENT_EVERY = 500
/** Days that events may span before their time begins anew. */
const DAYS = 3_650
/** Time between events where no rate says so: they shall not run ahead of the clock. */
const FULL_STEP_MS = 0.01
/** How long brokers may take over what is on its way when sending is to end. */
const END_MS_MAX = 10_000

interface Load extends LoadTarget {
  readonly sender: Sender
  produced: Produced
}

/**
 * Sends events to all targets at once until the count, the duration or a signal ends it; a second signal ends the process.
 * Progress goes to standard error, the sums to standard output, also where an error ends it.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_UNREACHABLE, KD_KAFKA_AUTH_FAILED, KD_KAFKA_TLS_FAILED, KD_KAFKA_FORBIDDEN
 */
export async function runLoad(
  targets: readonly LoadTarget[],
  flags: LoadFlags,
  config: Config,
): Promise<void> {
  const log = createLogger({ level: config.log.level === 'info' ? 'error' : config.log.level })
  const kafka = kafkaOptions(config.kafka, log)
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
  const sums = (): Loaded => sumsOf(loads, seed, performance.now() - startMs)
  const progress = showLoad(flags, sums)
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
    else await print(loadText(sums()))
  }
}

/** Sends to one target its share: the rate and the count are for all together. */
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
  const pace = perSecond === undefined ? fullPace(signal) : steadyPace(perSecond, systemClock, signal)
  const badEvery = badEveryOf(flags)
  const { count, schemaId } = flags
  const events = KINDS[load.kind].events({
    seed: place.seed + place.index,
    startMs: flags.start ?? Date.now() - SPREAD_MS,
    stepMs: perSecond === undefined ? FULL_STEP_MS : 1_000 / perSecond,
    days: DAYS,
    traceparentEvery: TRACEPARENT_EVERY,
    // What does not divide evenly goes to the first ones.
    ...(count === undefined ? {} : { count: Math.ceil((count - place.index) / place.of) }),
    ...(badEvery === undefined ? {} : { badEvery }),
    ...(schemaId === undefined ? {} : { schemaId }),
  })
  await produceEvents(events, (batch) => load.sender.send(batch), {
    pace,
    onSent: (produced) => {
      load.produced = produced
    },
  })
}

/** Resolves when brokers have had their time after the signal. */
function afterEnd(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => void pause(END_MS_MAX).then(resolve), { once: true })
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
