import type { Config } from '../../../config/types.ts'
import { redact, createSecretRedactor } from '../../../config/load/redact.ts'
import type { Counts } from '../../core/batch.ts'
import { systemClock } from '../../core/clock.ts'
import { runThenCleanUp } from '../../core/concurrency.ts'
import { isUnexpectedError, messageOf, PipelineError } from '../../core/errors.ts'
import { Circuits } from '../../resilience/circuit-registry.ts'
import { LogLevels } from '../../telemetry/log-levels.ts'
import { createLogger, type Logger } from '../../telemetry/log.ts'
import { logProcessOutput } from '../../telemetry/process-output.ts'
import { startTelemetry } from '../../telemetry/tracing/tracing.ts'
import type { OperatorsInput } from '../operators/define.ts'
import { logCircuitChange } from './circuit-log.ts'
import { GracefulShutdown } from './shutdown.ts'
import { budgetOf } from '../supervision/process-memory.ts'
import { runTopics } from '../supervision/run-topics.ts'
import { failedTopicOf } from '../supervision/topic-set.ts'
import type { IngestMetrics } from '../metrics/ingest-metrics.ts'
import { Observability } from './observability.ts'

/** Describes how the service runs. */
export interface ServiceOptions {
  readonly until: 'stopped' | 'latest'
  /** Called with the counts of each commit. */
  readonly onCommit?: (counts: Counts) => void
  /** Metrics of every topic under the names of kafka-delta-ingest. */
  readonly ingestMetrics?: IngestMetrics
  /** Sentences to log as warnings at the start. */
  readonly notes?: readonly string[]
  /** Runs before any record is read; an error ends the service. */
  readonly prepare?: (log: Logger, circuits: Circuits) => Promise<void>
  /** Called once the service handles signals. */
  readonly onSignalsHandled?: () => void
  /** Code for the rows of topics by the name of their entry; it takes the place of the option `operators`. */
  readonly operators?: Readonly<Record<string, OperatorsInput>>
  /** Aborting it shuts down gracefully, as the first signal does. */
  readonly signal?: AbortSignal
  /** Files of the configuration as the command got them, for commands that the console shows. */
  readonly configFiles?: readonly string[]
}

/**
 * Runs all topics until SIGTERM or SIGINT, or until they have caught up, and resolves to the exit code. The first
 * signal shuts down gracefully: reading stops, everything read is committed, the consumer group is left. Past
 * `shutdown.deadlineMs`, at a second signal, or after an uncaught error the process exits at once; no records are
 * lost, since the next start resumes from the table.
 * @throws the error of the first topic that failed permanently, once all topics have stopped
 */
export async function runServiceOrThrow(config: Config, options: ServiceOptions): Promise<number> {
  const levels = new LogLevels()
  const hide = createSecretRedactor(config)
  const log = createLogger({ level: config.log.level, levels, hide })
  const warn = (message: string): void => log.warn(message)
  const restoreOutput = logProcessOutput(log)
  const telemetry = startTelemetry(process.env, warn, systemClock, { ...config.trace, hide })
  const shutdown = new GracefulShutdown(config.shutdown.deadlineMs, log)
  options.onSignalsHandled?.()
  const circuits = new Circuits(config.circuit, {
    signal: shutdown.stopWaitingSignal,
    onChange: (circuit) => logCircuitChange(circuit, log),
  })
  const budget = budgetOf(config)
  const observability = await Observability.open(config, log, {
    ingestMetrics: options.ingestMetrics,
    circuits,
    levels,
    budget,
    configFiles: options.configFiles,
  })
  // Logged after the signal handlers are installed: a reader of this line may send a signal.
  logStart(config, log)
  for (const note of options.notes ?? []) log.warn(note)
  const run = async (): Promise<void> => {
    await observability.listen()
    await options.prepare?.(log, circuits)
    const summaries = await runTopics(config, {
      until: options.until,
      log,
      signal: stopSignalOf(shutdown, options.signal),
      ...(options.operators === undefined ? {} : { operators: options.operators }),
      meter: observability.meter,
      circuits,
      budget,
      onStopping: () => {
        observability.health.markStopping()
        shutdown.startDeadline()
      },
      observe: (topic) => observability.observe(topic),
      onOpen: (topics) => observability.setTopics(topics),
      onCommit: ({ counts }) => options.onCommit?.(counts),
    })
    for (const [name, { counts, version, ...rest }] of Object.entries(summaries)) {
      log.info(
        { name, ...counts, ...rest, version: version === undefined ? null : String(version) },
        'Topic finished',
      )
    }
  }
  // An exporter that cannot reach its collector must not hide why the service ended.
  await runThenCleanUp(run, async () => {
    try {
      await Promise.all([observability.close(), telemetry.shutdown()])
    } finally {
      shutdown.dispose()
      restoreOutput()
    }
  })
  return 0
}

function stopSignalOf(shutdown: GracefulShutdown, signal: AbortSignal | undefined): AbortSignal {
  return signal === undefined ? shutdown.stopSignal : AbortSignal.any([shutdown.stopSignal, signal])
}

/** Names of topics in the line at the start. */
const NAMES_MAX = 10

/**
 * Logs the configuration at the start. The line has the options of the process and the names of the first topics, so that its
 * size does not depend on their number; with `debug` each topic has a line with its options. `/config` serves all of it.
 */
function logStart(config: Config, log: Logger): void {
  const { topics, patterns, ...service } = redact(config)
  const namesOf = (entries: object): object => {
    const names = Object.keys(entries)
    return { count: names.length, first: names.slice(0, NAMES_MAX) }
  }
  log.info({ config: service, topics: namesOf(topics), patterns: namesOf(patterns) }, 'Starting kafka-delta')
  if (!log.isLevelEnabled('debug')) return
  for (const [name, options] of Object.entries({ ...topics, ...patterns }))
    log.debug({ name, options }, 'Options of an entry of topics')
}

/** Logs why the service ended, and the topic that it was: with the level `fatal` when the reason is a bug. */
export function logFailure(config: Pick<Config, 'log'>, thrown: unknown): void {
  const { code, context } = thrown instanceof PipelineError ? thrown : {}
  const topic = failedTopicOf(thrown) ?? context?.['topic']
  const log = createLogger({ level: config.log.level, hide: createSecretRedactor(config) })
  log[isUnexpectedError(thrown) ? 'fatal' : 'error']({ code, topic, err: thrown }, messageOf(thrown))
}
