import { type Clock, systemClock } from '../../core/clock.ts'
import { inFlush } from '../../core/stage/flush-scope.ts'
import { NO_TRACE } from '../../core/flush-trace.ts'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { OrphanedFiles } from '../../../operators/write-parquet.ts'
import type { SourceEvent } from '../../kafka/source/source-options.ts'
import { RepeatLimiter } from '../../resilience/repeat-limiter.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { TopicEvent, TopicEventHandler } from './events.ts'

/** Maximum of file names in a log line. */
const SHOWN_KEYS_MAX = 10

/** Interval in which records from the future are logged again. */
const FUTURE_EVERY_MS = 3_600_000

/** Returns the handler that logs the events of a topic with the topic's logger. */
export function createEventLog(log: Logger, clock: Clock = systemClock): TopicEventHandler {
  let futureLoggedAtMs = -Infinity
  const logFuture = ({ futureMs }: PipelineCommit): void => {
    const atMs = clock.now()
    if (futureMs === undefined || atMs - futureLoggedAtMs < FUTURE_EVERY_MS) return
    futureLoggedAtMs = atMs
    const aheadMs = Math.round(futureMs - atMs)
    log.warn(
      { aheadMs, timestamp: new Date(futureMs).toISOString() },
      'Records have Kafka timestamps from the future: they are written as they are, and freshness leaves them out. Check the clocks of the producers and of this machine; the next warning follows in an hour at the earliest',
    )
  }
  const source = new SourceLog(log, clock)
  return (event) => {
    switch (event.kind) {
      case 'phase':
        logRestart(event, log)
        break
      case 'paused':
        log.info('Topic paused: reading stops until it is resumed')
        break
      case 'resumed':
        log.info('Topic resumed')
        break
      case 'committed':
        if (log.isLevelEnabled('debug')) logCommit(event.commit, log)
        logFuture(event.commit)
        break
      case 'fenced':
        logFenced(event, log)
        break
      case 'source':
        source.onEvent(event.event)
        break
      case 'path-unmatched':
        log.warn({ option: event.option, path: event.path }, event.message)
        break
      case 'path-matched':
        log.info({ option: event.option, path: event.path }, 'The path matches a field after all')
        break
      case 'orphaned':
        logOrphaned(event.files, log)
        break
      case 'read':
      case 'flush-formed':
      case 'flush-ended':
      case 'maintained':
      case 'checkpointed':
        break
    }
  }
}

/** The end of a topic and its permanent failure are logged by the set of topics, which knows what follows from them. */
function logRestart({ failure, restart }: Extract<TopicEvent, { kind: 'phase' }>, log: Logger): void {
  if (restart === undefined || failure === undefined) return
  const { code, message, error } = failure
  log.warn(
    { code, err: error, ...restart },
    restart.isOutage
      ? `The topic cannot work at present; it restarts from its table in ${restart.waitMs} ms, and again until it works: ${message}`
      : `The topic failed and restarts from its table in ${restart.waitMs} ms: ${message}`,
  )
}

function logCommit(commit: PipelineCommit, log: Logger): void {
  const { version, counts, attempts, conflicts, adds, trace = NO_TRACE } = commit
  const fields = { version: String(version), ...counts, files: adds.length, attempts, conflicts }
  inFlush(trace, () => log.debug(fields, 'Flush committed'))
}

/** Logs a flush that is dropped and read again. */
function logFenced({ appIds, unfitReason }: Extract<TopicEvent, { kind: 'fenced' }>, log: Logger): void {
  if (unfitReason === undefined)
    log.warn(
      { appIds },
      'Fenced: another writer has committed these offsets; this flush is dropped and reading continues from the table',
    )
  else
    log.warn(
      { appIds, unfit: unfitReason },
      'Another writer changed the table so that the rows no longer fit; this flush is dropped and read again',
    )
}

/** Logs the files that a flush without a commit leaves in the store. */
function logOrphaned({ keys, reason }: OrphanedFiles, log: Logger): void {
  log.warn(
    { err: reason, files: keys.length, keys: keys.slice(0, SHOWN_KEYS_MAX) },
    'Data files of a flush that was not committed could not be deleted: no version has them, VACUUM deletes them',
  )
}

/**
 * Logs the events of a source. Single requests are details: if no broker answers, the circuit of the process says so once,
 * and what lasts is in the health of the topic.
 */
class SourceLog {
  readonly #log: Logger
  readonly #limiter: RepeatLimiter
  #assigned: string | undefined

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#limiter = new RepeatLimiter(clock)
  }

  onEvent(event: SourceEvent): void {
    const log = this.#log
    switch (event.kind) {
      case 'assigned':
        this.#logAssigned(event.partitions)
        break
      case 'restarting':
        log.debug({ err: event.error }, 'A request to the brokers got no response; it is repeated')
        break
      case 'brokers-silent':
        log.debug({ err: event.error }, 'No Kafka broker answers: the topic waits until one does')
        break
      case 'brokers-answer':
        log.debug({}, 'A Kafka broker answers')
        break
      case 'offsets-failed':
        this.#logFailedOffsets(event.error)
        break
      case 'topic-identified':
      case 'positioned':
      case 'rebalancing':
      case 'credit-waited':
      case 'offsets-committed':
        log.debug(
          {
            ...event,
            next: 'next' in event ? String(event.next) : undefined,
            follows: 'follows' in event ? String(event.follows) : undefined,
          },
          event.kind,
        )
        break
    }
  }

  /** Logs the assigned partitions if they are others than in the last line. */
  #logAssigned(partitions: readonly number[]): void {
    const isChange = this.#assigned !== partitions.join()
    this.#assigned = partitions.join()
    this.#log[isChange ? 'info' : 'debug'](
      { partitions },
      partitions.length === 0
        ? 'No partitions assigned: other members of the group have them'
        : 'Partitions assigned',
    )
  }

  /** Logs that offsets were not copied: the first time, and then at most once a minute with the number of times. */
  #logFailedOffsets(error: unknown): void {
    const occurrences = this.#limiter.occurrencesIfDue('offsets-failed')
    const message = 'Offsets could not be committed to the Kafka group; nothing is lost, the table holds them'
    if (occurrences === undefined) this.#log.debug({ err: error }, message)
    else this.#log.warn({ err: error, occurrences }, message)
  }
}
