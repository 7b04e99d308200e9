import { resolve } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { deadLetterSinks, marksOf } from '../../../config/dead-letters/sinks.ts'
import { loadConfig } from '../../../config/load/load.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { PipelineError } from '../../core/errors.ts'
import type { LetterState, Marks } from '../../dead-letters/marks.ts'
import { isWanted, type LetterFilter, type StoredLetter } from '../../dead-letters/stored.ts'
import type { LetterStore } from '../../service/replay/stored-letters.ts'
import type { Tables } from '../../service/table/table-pool.ts'
import type { Logger } from '../../telemetry/log.ts'
import { EXIT_HELP } from '../exit-codes.ts'
import { sourcesOf, withSources, type SourceFlags } from '../sources.ts'
import { timeOf } from '../table/source.ts'

/** What every command over dead letters takes. */
export interface DlqFlags extends SourceFlags {
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

/** Dead letters as a command sees them. */
export interface Letters {
  readonly store: LetterStore
  readonly config: Config
  /** The entry of `topics` that they are of, where one is named or the only one. */
  readonly entry: { readonly name: string; readonly topic: TopicConfig } | undefined
  readonly tables: Tables
  readonly log: Logger
  /** What was replayed or discarded; everything is open where no entry says where that is noted. */
  readonly marks: Marks | undefined
}

/** A subcommand of `dlq` with the options that all of them share. */
export function dlqCommand(parent: Command, name: string, examples: readonly string[]): Command {
  return withSources(parent.command(name))
    .option(
      '-t, --topic-entry <name>',
      'the entry of `topics` whose dead letters they are; the only one by default',
    )
    .addOption(new Option('--from-topic <topic>', 'read them from this Kafka topic').conflicts('table'))
    .option('--table <uri>', 'read them from this Delta table')
    .option('--reason <reason>', 'only this reason or stage, such as decode or schema')
    .option('--group <id>', 'only this group of `dlq group`')
    .addOption(
      new Option('--since <time>', 'only those written since: ISO 8601, in UTC without a zone').argParser(
        timeOf,
      ),
    )
    .addOption(new Option('--partition <n>', 'only this partition of the source topic').argParser(wholeOf))
    .option('--match <text>', 'only those whose message holds this text')
    .addHelpText(
      'after',
      `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}\n${EXIT_HELP}`,
    )
}

/** The letters that the flags choose. */
export function filterOf(flags: DlqFlags, more: LetterFilter = {}): LetterFilter {
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
 * Opens the dead letters that the flags name. Throws `KD_COMMAND_INVALID` where they name none, or more than one entry of
 * `topics` could be meant.
 */
export async function openLetters(flags: DlqFlags, needsEntry: boolean): Promise<Letters> {
  const config = loadConfig(sourcesOf(flags))
  const entry = entryOf(config, flags, needsEntry)
  const { createLogger } = await import('../../telemetry/log.ts')
  const { tablesOf } = await import('../../service/table/target.ts')
  const { kafkaOptions } = await import('../../service/connections/kafka-options.ts')
  const { lettersOfTable, lettersOfTopic } = await import('../../service/replay/stored-letters.ts')
  const log = createLogger({ level: config.log.level === 'info' ? 'warn' : config.log.level })
  const tables = tablesOf(config)
  const { topic: fromTopic, table: fromTable } = placeOf(flags, entry?.topic)
  const store =
    fromTable === undefined
      ? lettersOfTopic(fromTopic, kafkaOptions(config.kafka, log))
      : lettersOfTable(fromTable, tables)
  const marks = entry === undefined ? undefined : await marksFor(entry.topic, tables)
  return { store, config, entry, tables, log, marks }
}

/** Those of the letters that are wanted, each with what became of it; open ones alone unless all are asked for. */
export async function* chosenLetters(
  { store, entry, marks }: Letters,
  flags: DlqFlags,
  more: LetterFilter = {},
): AsyncGenerator<{ readonly letter: StoredLetter; readonly state: LetterState }> {
  const filter = filterOf(flags, { topic: entry?.topic.topic, ...more })
  for await (const letter of store.read()) {
    const state = marks?.stateOf(letter.place) ?? 'open'
    if (flags.all !== true && state !== 'open') continue
    if (isWanted(letter, filter)) yield { letter, state }
  }
}

/** Reads a whole number from the command line. */
export function wholeOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.')
  return Number(text)
}

function entryOf(config: Config, flags: DlqFlags, needsEntry: boolean): Letters['entry'] {
  const names = Object.keys(config.topics)
  const name = flags.topicEntry ?? (names.length === 1 ? names[0] : undefined)
  if (name === undefined) {
    if (!needsEntry && (flags.fromTopic !== undefined || flags.table !== undefined)) return undefined
    const known = names.length === 0 ? 'there is none' : `there are ${names.join(', ')}`
    throw new PipelineError('KD_COMMAND_INVALID', `--topic-entry must name an entry of topics; ${known}`)
  }
  const topic = config.topics[name]
  if (topic === undefined) {
    const detail = `--topic-entry ${name} is no entry of topics; there are ${names.join(', ')}`
    throw new PipelineError('KD_COMMAND_INVALID', detail)
  }
  return { name, topic }
}

/** A table is read first where letters are in both: it holds values whole. */
function placeOf(
  flags: DlqFlags,
  topic: TopicConfig | undefined,
): { readonly topic: string; readonly table: string | undefined } {
  if (flags.table !== undefined) {
    const isLocal = !/^[a-z][a-z0-9+.-]+:/i.test(flags.table)
    return { topic: '', table: isLocal ? resolve(flags.table) : flags.table }
  }
  if (flags.fromTopic !== undefined) return { topic: flags.fromTopic, table: undefined }
  if (topic === undefined) throw new Error('Broken invariant: there is an entry where nothing else is named')
  const isTable = deadLetterSinks({ deadLetters: { ...topic.deadLetters, mode: 'dlq' } }).table
  return { topic: topic.deadLetters.topic, table: isTable ? topic.deadLetters.table : undefined }
}

async function marksFor(topic: TopicConfig, tables: Tables): Promise<Marks> {
  const { readMarks, newestReplay } = await import('../../service/replay/replay-ledger.ts')
  const newest = await newestReplay(tables, topic.table.uri, topic.appId)
  return await readMarks(tables, { uri: marksOf(topic), appId: topic.appId }, newest)
}
