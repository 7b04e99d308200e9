import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { deadLetterSinksOf, replayLedgerUriOf } from '../../../config/dead-letters/sinks.ts'
import { loadConfig } from '../../../config/load/load.ts'
import { topicNameFault } from '../../../config/topics/topic-names.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { PipelineError } from '../../core/errors.ts'
import { isResolvablePath } from '../../core/uri/store-uri.ts'
import type { LetterState, ReplayLedger } from '../../stored-letters/ledger.ts'
import { matchesFilter, type LetterFilter, type StoredLetter } from '../../stored-letters/stored.ts'
import type { LetterStore } from '../../service/replay/stored-letters.ts'
import type { TablePool } from '../../service/table/table-pool.ts'
import type { Logger } from '../../telemetry/log.ts'
import { EXIT_HELP } from '../../service/process/exit-codes.ts'
import { configSourcesOf, addConfigOptions, type ConfigFlags } from '../config-flags.ts'
import { parseCount, parseTime } from '../table/command.ts'

/** Holds the flags that all `dlq` commands share. */
export interface DlqFlags extends ConfigFlags {
  readonly topicEntry?: string
  readonly fromTopic?: string
  readonly table?: string
  readonly reason?: string
  readonly group?: string
  readonly since?: number
  readonly partition?: number
  readonly match?: string
  readonly all?: true
  readonly json?: true
}

/** Holds the dead letters that a command works on, and what it needs to work on them. */
export interface DeadLetterSelection {
  readonly store: LetterStore
  readonly config: Config
  /** Entry of `topics` that the dead letters belong to, if one is named or there is only one. */
  readonly entry: { readonly name: string; readonly topic: TopicConfig } | undefined
  readonly tables: TablePool
  readonly log: Logger
  /**
   * Ledger of replayed and discarded dead letters; without an entry there is none, and all dead letters count
   * as open.
   */
  readonly replayLedger: ReplayLedger | undefined
}

/** Adds a subcommand of `dlq` with the options that all of them share. */
export function addDlqSubcommand(parent: Command, name: string, examples: readonly string[]): Command {
  return addConfigOptions(parent.command(name))
    .option(
      '-t, --topic-entry <name>',
      'entry of `topics` whose dead letters are meant; may be omitted if there is only one',
    )
    .addOption(
      new Option('--from-topic <topic>', 'read dead letters from this Kafka topic').conflicts('table'),
    )
    .option('--table <uri>', 'read dead letters from this Delta table')
    .option('--reason <reason>', 'only dead letters with this reason or stage, such as decode or schema')
    .option('--group <id>', 'only dead letters of this group, as shown by `dlq group`')
    .addOption(
      new Option(
        '--since <time>',
        'only dead letters written since: ISO 8601, UTC unless a time zone is given',
      ).argParser(parseTime),
    )
    .addOption(
      new Option('--partition <n>', 'only dead letters of this partition of the source topic').argParser(
        parseCount,
      ),
    )
    .option('--match <text>', 'only dead letters whose message contains this text')
    .addHelpText(
      'after',
      `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}\n${EXIT_HELP}`,
    )
}

/** Returns the filter that the flags describe. */
function deadLetterFilterOf(flags: DlqFlags, more: LetterFilter = {}): LetterFilter {
  return {
    reason: flags.reason,
    group: flags.group,
    sinceMs: flags.since,
    partition: flags.partition,
    match: flags.match,
    ...more,
  }
}

/**
 * Opens the dead letters that the flags select.
 *
 * @throws KD_COMMAND_INVALID if the flags select none, or it is ambiguous which entry of `topics` is meant
 */
export async function openDeadLetterSelection(
  flags: DlqFlags,
  needsEntry: boolean,
): Promise<DeadLetterSelection> {
  const config = loadConfig(configSourcesOf(flags))
  const entry = entryOf(config, flags, needsEntry)
  const { createLogger } = await import('../../telemetry/log.ts')
  const { createTablePool } = await import('../../service/table/target.ts')
  const { kafkaOptionsOf } = await import('../../service/connections/kafka-options.ts')
  const { lettersOfTable, lettersOfTopic } = await import('../../service/replay/stored-letters.ts')
  const log = createLogger({ level: config.log.level === 'info' ? 'warn' : config.log.level })
  const tables = createTablePool(config)
  const { topic: fromTopic, table: fromTable } = deadLetterLocationOf(flags, entry?.topic)
  const store =
    fromTable === undefined
      ? lettersOfTopic(fromTopic, kafkaOptionsOf(config.kafka, log))
      : lettersOfTable(fromTable, tables)
  const replayLedger = entry === undefined ? undefined : await readLedgerOf(entry.topic, tables)
  return { store, config, entry, tables, log, replayLedger }
}

/**
 * Yields the dead letters that match the filter, each with its state; only open ones unless `--all` is set. Key, value
 * and headers may be truncated if `withContent` is false.
 */
export async function* selectDeadLetters(
  { store, entry, replayLedger }: DeadLetterSelection,
  flags: DlqFlags,
  { withContent, ...more }: LetterFilter & { readonly withContent?: boolean } = {},
): AsyncGenerator<{ readonly letter: StoredLetter; readonly state: LetterState }> {
  const filter = deadLetterFilterOf(flags, { topic: entry?.topic.topic, ...more })
  const stateOf = (letter: StoredLetter): LetterState => replayLedger?.stateOf(letter.position) ?? 'open'
  const wants = (letter: StoredLetter): boolean =>
    (flags.all === true || stateOf(letter) === 'open') && matchesFilter(letter, filter)
  for await (const letter of store.read({ wants, withContent }))
    if (wants(letter)) yield { letter, state: stateOf(letter) }
}

function entryOf(config: Config, flags: DlqFlags, needsEntry: boolean): DeadLetterSelection['entry'] {
  const names = Object.keys(config.topics)
  const name = flags.topicEntry ?? (names.length === 1 ? names[0] : undefined)
  if (name === undefined) {
    if (!needsEntry && (flags.fromTopic !== undefined || flags.table !== undefined)) return undefined
    const known = names.length === 0 ? 'none is configured' : `configured are ${names.join(', ')}`
    throw new PipelineError('KD_COMMAND_INVALID', `--topic-entry must name an entry of topics; ${known}`)
  }
  const topic = config.topics[name]
  if (topic === undefined) {
    const detail = `--topic-entry ${name} is not an entry of topics; configured are ${names.join(', ')}`
    throw new PipelineError('KD_COMMAND_INVALID', detail)
  }
  return { name, topic }
}

/** Prefers the table if dead letters are written to both, because it stores values in full. */
function deadLetterLocationOf(
  flags: DlqFlags,
  topic: TopicConfig | undefined,
): { readonly topic: string; readonly table: string | undefined } {
  if (flags.table !== undefined) {
    return { topic: '', table: isResolvablePath(flags.table) ? resolve(flags.table) : flags.table }
  }
  if (flags.fromTopic !== undefined) {
    const fault = topicNameFault(flags.fromTopic)
    if (fault !== undefined) throw new PipelineError('KD_COMMAND_INVALID', `--from-topic ${fault}`)
    return { topic: flags.fromTopic, table: undefined }
  }
  if (topic === undefined)
    throw new Error('Broken invariant: an entry is required unless a topic or table is named')
  const isTable = deadLetterSinksOf({ deadLetters: { ...topic.deadLetters, mode: 'dlq' } }).table
  return { topic: topic.deadLetters.topic, table: isTable ? topic.deadLetters.table : undefined }
}

async function readLedgerOf(topic: TopicConfig, tables: TablePool): Promise<ReplayLedger> {
  const { readReplayLedger, readNewestReplay } = await import('../../service/replay/replay-ledger.ts')
  const newest = await readNewestReplay(tables, topic.table.uri, topic.appId)
  return await readReplayLedger(tables, { uri: replayLedgerUriOf(topic), appId: topic.appId }, newest)
}
