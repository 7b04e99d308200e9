import type { Config } from '../../config/types.ts'
import { redact } from '../../config/redact.ts'
import type { Counts } from '../core/batch.ts'
import { systemClock } from '../core/clock.ts'
import { messageOf, PipelineError } from '../core/errors.ts'
import type { Circuit } from '../core/circuit.ts'
import { Circuits } from '../resilience/circuits.ts'
import { LogLevels } from '../telemetry/log-levels.ts'
import { createLogger, type Logger } from '../telemetry/log.ts'
import { startTelemetry } from '../telemetry/tracing.ts'
import { runTopics } from './topics.ts'
import type { TopicObserver } from './observer.ts'
import { Watching } from './watching.ts'

/** How the service runs. */
export interface ServiceOptions {
  readonly until: 'stopped' | 'latest'
  /** Told the counts of each commit. */
  readonly onCommit?: (counts: Counts) => void
  readonly observer?: TopicObserver
  /** Told in the log at the start, one sentence each. */
  readonly notes?: readonly string[]
  /** Done before anything flows; what it throws ends the service. */
  readonly prepare?: (log: Logger) => Promise<void>
}

/** What shells say of a process that SIGINT ended. */
const EXIT_FORCED = 130

/**
 * The service: runs all topics until SIGTERM or SIGINT, or until they have caught up. The first signal drains: reading
 * stops, what was read is committed, the group is left, exit 0; past `shutdown.deadlineMs`, or at a second signal, the
 * process ends at once, which loses nothing either. Throws what stopped the topics.
 */
export async function runService(config: Config, options: ServiceOptions): Promise<number> {
  const levels = new LogLevels()
  const log = createLogger({ level: config.log.level, levels })
  const warn = (message: string): void => log.warn(message)
  const telemetry = startTelemetry(process.env, warn, systemClock, config.trace)
  const stopping = new AbortController()
  const circuits = new Circuits(config.circuit, {
    signal: stopping.signal,
    onChange: (circuit) => noteCircuit(circuit, log),
  })
  const watching = await Watching.open(config, log, { observer: options.observer, circuits, levels })
  const release = onSignals(stopping, config.shutdown.deadlineMs, log)
  // Only now: whoever reads this line may send a signal.
  log.info({ config: redact(config) }, 'kafka-delta starts')
  for (const note of options.notes ?? []) log.warn(note)
  stopping.signal.addEventListener('abort', () => watching.health.stopping(), { once: true })
  try {
    await watching.listen()
    await options.prepare?.(log)
    const summaries = await runTopics(config, {
      until: options.until,
      log,
      signal: stopping.signal,
      circuits,
      observe: (topic) => watching.observer(topic),
      onOpen: (topics) => watching.opened(topics),
      onCommit: ({ counts }) => options.onCommit?.(counts),
    })
    for (const [name, { counts, version, ...rest }] of Object.entries(summaries)) {
      log.info({ name, ...counts, ...rest, version: version === undefined ? null : String(version) }, 'Done')
    }
    return 0
  } finally {
    release()
    await watching.close()
    await telemetry.shutdown()
  }
}

/** Says in the log why the service ended, for those who only see the log. */
export function logFailure(config: Pick<Config, 'log'>, thrown: unknown): void {
  const code = thrown instanceof PipelineError ? thrown.code : undefined
  createLogger({ level: config.log.level }).error({ code, err: thrown }, messageOf(thrown))
}

function noteCircuit({ kind, name, state, opened, reason }: Circuit, log: Logger): void {
  const fields = { kind, name, opened, reason }
  if (state === 'open') log.warn(fields, 'A server fails: whoever needs it waits')
  else if (state === 'half-open') log.info(fields, 'Trying whether a server works again')
  else log.info(fields, 'A server works again')
}

function onSignals(stopping: AbortController, deadlineMs: number, log: Logger): () => void {
  let deadline: NodeJS.Timeout | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping.signal.aborted) {
      log.warn({ signal }, 'Second signal: leaving at once; the next start resumes from the table')
      process.exit(EXIT_FORCED)
    }
    log.info({ signal, deadlineMs }, 'Stopping: flushing and committing what was read')
    stopping.abort()
    deadline = setTimeout(() => {
      log.error(
        { deadlineMs },
        'Not drained within the deadline: leaving; the next start resumes from the table',
      )
      process.exit(1)
    }, deadlineMs).unref()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return () => {
    clearTimeout(deadline)
    process.off('SIGTERM', onSignal)
    process.off('SIGINT', onSignal)
  }
}
