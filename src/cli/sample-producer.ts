import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { createKafka } from '../kafka/client.ts'
import { produceEvents } from '../sample/produce.ts'
import { userEvents, type UserEvent } from '../sample/user-events.ts'
import { exitCodeOf } from './exit-codes.ts'
import { errorBlock } from './output.ts'
import { count } from './progress.ts'
import { countOf } from './table-source.ts'

interface Flags {
  readonly topic: string
  readonly rate: number
  readonly records?: number
  readonly badEvery: number
}

/** Every so many events one carries a `traceparent` header. */
const TRACEPARENT_EVERY = 500

/** Generated events are up to a minute later than their place in the order says; none shall lie in the future. */
const SPREAD_MS = 60_000

/**
 * Sends generated user events to a topic that exists, at a steady rate, until SIGTERM or SIGINT or until `--records` are
 * sent. A program of its own for trying things out: `node dist/src/cli/sample-producer.js`. Resolves to the exit code.
 */
async function main(argv: readonly string[]): Promise<number> {
  const flags = new Command('sample-producer')
    .description('Sends generated user events to the brokers of KAFKA_BOOTSTRAP_SERVERS.')
    .option('-t, --topic <name>', 'a topic that exists', 'user.events.v1')
    .option('-r, --rate <n>', 'events a second', countOf, 1_000)
    .option('-n, --records <n>', 'how many events; endless by default', countOf)
    .option('-b, --bad-every <n>', 'one in so many is bad; 0 for none', countOf, 1_000)
    .parse(argv)
    .opts<Flags>()
  const brokers = (process.env['KAFKA_BOOTSTRAP_SERVERS'] ?? '127.0.0.1:9092').split(',')
  const producer = createKafka({ brokers, clientId: 'kafka-delta-sample' }).producer({
    allowAutoTopicCreation: false,
  })
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      stopping.abort()
    })
  try {
    await producer.connect()
    const sent = await send(flags, stopping.signal, (messages) =>
      producer.send({ topic: flags.topic, messages: [...messages] }),
    )
    console.log(`${count(sent)} user events sent to ${flags.topic}`)
    return 0
  } catch (error) {
    process.stderr.write(errorBlock(error, false))
    return exitCodeOf(error)
  } finally {
    await producer.disconnect()
  }
}

/** Sends one batch a second and then waits for the next second; resolves to the number of events. */
async function send(
  { rate, records, badEvery }: Flags,
  stop: AbortSignal,
  sendBatch: (batch: readonly UserEvent[]) => Promise<unknown>,
): Promise<number> {
  const events = userEvents({
    seed: Date.now() & 0x7fff_ffff,
    startMs: Date.now() - SPREAD_MS,
    stepMs: 1_000 / rate,
    traceparentEvery: TRACEPARENT_EVERY,
    ...(records === undefined ? {} : { count: records }),
    ...(badEvery === 0 ? {} : { badEvery }),
  })
  let sent = 0
  let more = rate
  while (more === rate && !stop.aborted) {
    const nextMs = performance.now() + 1_000
    more = (await produceEvents(upTo(rate, events), sendBatch)).records
    sent += more
    // Cut short by the signal, which is no error.
    await sleep(Math.max(0, nextMs - performance.now()), undefined, { signal: stop }).catch(() => undefined)
  }
  return sent
}

/** The next `count` events; `for … of` over the generator itself would close it. */
function* upTo(count: number, events: Generator<UserEvent>): Generator<UserEvent> {
  for (let number = 0; number < count; number++) {
    const next = events.next()
    if (next.done === true) return
    yield next.value
  }
}

process.exitCode = await main(process.argv)
