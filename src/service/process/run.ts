import type { Config } from '../../../config/types.ts'
import { redact, withoutSecrets } from '../../../config/load/redact.ts'
import type { Counts } from '../../core/batch.ts'
import { systemClock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { Circuit } from '../../core/circuit.ts'
import { Circuits } from '../../resilience/circuits.ts'
import { LogLevels } from '../../telemetry/log-levels.ts'
import { createLogger, type Logger } from '../../telemetry/log.ts'
import { startTelemetry } from '../../telemetry/tracing/tracing.ts'
import { Leaving } from './shutdown.ts'
import { budgetOf } from '../supervision/process-memory.ts'
import { runTopics } from '../supervision/run-topics.ts'
import type { TopicObserver } from '../topic/observer.ts'
import { Watching } from './observability.ts'

/** How the service runs. */
export interface ServiceOptions {
  readonly until: 'stopped' | 'latest'
  /** Told the counts of each commit. */
  readonly onCommit?: (counts: Counts) => void
  readonly observer?: TopicObserver
  /** Told in the log at the start, one sentence each. */
  readonly notes?: readonly string[]
  /** Done before anything flows; what it throws ends the service. */
  readonly prepare?: (log: Logger, circuits: Circuits) => Promise<void>
}

/**
 * The service: runs all topics until SIGTERM or SIGINT, or until they have caught up. The first signal drains: reading
 * stops, what was read is committed, the group is left, exit 0; past `shutdown.deadlineMs`, at a second signal, or when
 * something was thrown that nobody caught, the process ends at once, which loses nothing either. Throws what the first topic
 * failed with, once none is carried any more.
 */
export async function runService(config: Config, options: ServiceOptions): Promise<number> {
  const levels = new LogLevels()
  const hide = withoutSecrets(config)
  const log = createLogger({ level: config.log.level, levels, hide })
  const warn = (message: string): void => log.warn(message)
  const telemetry = startTelemetry(process.env, warn, systemClock, { ...config.trace, hide })
  const leaving = new Leaving(config.shutdown.deadlineMs, log)
  const circuits = new Circuits(config.circuit, {
    signal: leaving.impatient,
    onChange: (circuit) => noteCircuit(circuit, log),
  })
  const budget = budgetOf(config)
  const watching = await Watching.open(config, log, { observer: options.observer, circuits, levels, budget })
  // Only now: whoever reads this line may send a signal.
  log.info({ config: redact(config) }, 'kafka-delta starts')
  for (const note of options.notes ?? []) log.warn(note)
  try {
    await watching.listen()
    await options.prepare?.(log, circuits)
    const summaries = await runTopics(config, {
      until: options.until,
      log,
      signal: leaving.stopping,
      circuits,
      budget,
      onStopping: () => {
        watching.health.stopping()
        leaving.begin()
      },
      observe: (topic) => watching.observer(topic),
      onOpen: (topics) => watching.opened(topics),
      onCommit: ({ counts }) => options.onCommit?.(counts),
    })
    for (const [name, { counts, version, ...rest }] of Object.entries(summaries)) {
      log.info({ name, ...counts, ...rest, version: version === undefined ? null : String(version) }, 'Done')
    }
    return 0
  } finally {
    await watching.close()
    await telemetry.shutdown()
    leaving.release()
  }
}

/** Says in the log why the service ended, for those who only see the log. */
export function logFailure(config: Pick<Config, 'log'>, thrown: unknown): void {
  const code = thrown instanceof PipelineError ? thrown.code : undefined
  const log = createLogger({ level: config.log.level, hide: withoutSecrets(config) })
  log.error({ code, err: thrown }, messageOf(thrown))
}

function noteCircuit({ kind, name, state, opened, reason }: Circuit, log: Logger): void {
  const fields = { kind, name, opened, reason }
  if (state === 'open') log.warn(fields, 'A server fails: whoever needs it waits')
  else if (state === 'half-open') log.info(fields, 'Trying whether a server works again')
  else log.info(fields, 'A server works again')
}
