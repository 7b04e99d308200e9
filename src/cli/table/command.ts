import { resolve } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { loadConfig } from '../../../config/load/load.ts'
import { runThenCleanUp } from '../../core/concurrency.ts'
import { PipelineError } from '../../core/errors.ts'
import { isResolvablePath } from '../../core/uri/store-uri.ts'
import type { Add } from '../../delta/protocol/actions.ts'
import { deletionVectorOf } from '../../delta/files/deletion-vector.ts'
import type { Snapshot } from '../../delta/log/snapshot.ts'
import type { Store } from '../../storage/store.ts'
import { EXIT_HELP } from '../../service/process/exit-codes.ts'
import { configSourcesOf, addConfigOptions, type ConfigFlags } from '../config-flags.ts'

/** Holds the flags that all `table` commands share. */
export interface TableFlags extends ConfigFlags {
  readonly version?: bigint
  /** Milliseconds since the epoch. */
  readonly timestamp?: number
  readonly json?: true
}

/** Adds a subcommand of `table` with the arguments and options that all of them share. */
export function addTableSubcommand(parent: Command, name: string, examples: readonly string[]): Command {
  return addConfigOptions(parent.command(name))
    .argument('<uri>', 'location of the table: s3://…, abfss://…, gs://… or a local path')
    .addHelpText(
      'after',
      `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}\n${EXIT_HELP}`,
    )
}

/** Opens the store of a table with the same configuration as `run`, and closes it after `use`. */
export async function withStore<T>(
  uri: string,
  flags: TableFlags,
  use: (store: Store, open: (uri: string) => Promise<Store>) => Promise<T>,
): Promise<T> {
  const config = loadConfig(configSourcesOf(flags))
  const { openStore } = await import('../../storage/open/open.ts')
  const store = await openStore(isResolvablePath(uri) ? resolve(uri) : uri, config.storage)
  return await runThenCleanUp(
    () => use(store, (other) => openStore(other, config.storage)),
    () => store.close(),
  )
}

/** Adds the options `--version` and `--timestamp`, which select a version of the table. */
export function addVersionOptions(command: Command): Command {
  return command
    .option('-v, --version <n>', 'version of the table (default: the latest)', parseVersion)
    .addOption(
      new Option(
        '--timestamp <time>',
        'version of the table at this time: ISO 8601, UTC unless a time zone is given',
      )
        .argParser(parseTime)
        .conflicts('version'),
    )
}

/** Loads the snapshot at `--version` or `--timestamp`, by default the latest, and passes it to `use`. */
export async function withSnapshot<T>(
  uri: string,
  flags: TableFlags,
  use: (snapshot: Snapshot, store: Store, open: (uri: string) => Promise<Store>) => Promise<T>,
): Promise<T> {
  const { loadSnapshot } = await import('../../delta/log/snapshot.ts')
  const { findVersionAt } = await import('../../delta/log/time-travel.ts')
  return await withStore(uri, flags, async (store, open) => {
    const version =
      flags.timestamp === undefined ? flags.version : await findVersionAt(store, flags.timestamp)
    return use(await loadSnapshot(store, { version }), store, open)
  })
}

/** Parses a table version from the command line. */
export function parseVersion(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.')
  return BigInt(text)
}

/** Parses a time from the command line. Returns milliseconds since the epoch. */
export function parseTime(text: string): number {
  const match =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(text)
  const [, date = '', time = '00:00', zone = 'Z'] = match ?? []
  const ms = Date.parse(`${date}T${time}${zone}`)
  if (match === null || Number.isNaN(ms)) {
    throw new InvalidArgumentError('It must be a time such as 2026-01-31 or 2026-01-31T12:30:00Z.')
  }
  return ms
}

/** Parses `name=value` from the command line and adds it to those of earlier uses of the option. */
export function parseNameValue(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be name=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

/** Parses comma-separated column names from the command line. */
export function parseColumnNames(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim())
}

/** Parses a whole number from the command line. */
export function parseCount(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.')
  return Number(text)
}

/** Returns `numRecords` of a file's statistics, or `undefined` without statistics. Spec: "Per-file Statistics". */
export function numRecordsOf(stats: string | undefined): number | undefined {
  if (stats === undefined) return undefined
  const { numRecords } = JSON.parse(stats) as { numRecords?: unknown }
  return typeof numRecords === 'number' ? numRecords : undefined
}

/**
 * Returns the rows of a file without those that its deletion vector deletes, or `undefined` without
 * statistics. Spec: "Per-file Statistics", "Deletion Vectors".
 *
 * @throws KD_TABLE_CORRUPT if the statistics are not a JSON object
 */
export function liveRowCountOf(add: Pick<Add, 'path' | 'stats' | 'deletionVector'>): number | undefined {
  let rows: number | undefined
  try {
    rows = numRecordsOf(add.stats)
  } catch (cause) {
    throw new PipelineError(
      'KD_TABLE_CORRUPT',
      'add.stats is not a JSON object',
      { path: add.path },
      { cause },
    )
  }
  return rows === undefined ? undefined : rows - (deletionVectorOf(add)?.cardinality ?? 0)
}
