import { resolve } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { loadConfig } from '../../../config/load/load.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Add } from '../../delta/protocol/actions.ts'
import { deletionVectorOf } from '../../delta/files/deletion-vector.ts'
import type { Snapshot } from '../../delta/log/snapshot.ts'
import type { Store } from '../../storage/store.ts'
import { EXIT_HELP } from '../exit-codes.ts'
import { sourcesOf, withSources, type SourceFlags } from '../sources.ts'

/** What every command that looks into a table takes. */
export interface TableFlags extends SourceFlags {
  readonly version?: bigint
  /** Milliseconds since the epoch. */
  readonly timestamp?: number
  readonly json?: true
}

/** A subcommand of `table` with the arguments and options that all of them share. */
export function tableCommand(parent: Command, name: string, examples: readonly string[]): Command {
  return withSources(parent.command(name))
    .argument('<uri>', 'where the table lies: s3://, abfss:// or gs://, or a path')
    .addHelpText(
      'after',
      `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}\n${EXIT_HELP}`,
    )
}

/** Opens the store of a table as `run` would, and closes it when `use` is done with it. */
export async function withStore<T>(
  uri: string,
  flags: TableFlags,
  use: (store: Store, open: (uri: string) => Promise<Store>) => Promise<T>,
): Promise<T> {
  const config = loadConfig(sourcesOf(flags))
  const { openStore } = await import('../../storage/open/open.ts')
  const local = !/^[a-z][a-z0-9+.-]+:/i.test(uri)
  const store = await openStore(local ? resolve(uri) : uri, config.storage)
  try {
    return await use(store, (other) => openStore(other, config.storage))
  } finally {
    await store.close()
  }
}

/** Adds the options that choose a version. */
export function withVersion(command: Command): Command {
  return command
    .option('-v, --version <n>', 'the table as it was at this version', versionOf)
    .addOption(
      new Option('--timestamp <time>', 'the table as it was at this time: ISO 8601, in UTC without a zone')
        .argParser(timeOf)
        .conflicts('version'),
    )
}

/** The table at `--version` or `--timestamp`, the newest by default. */
export async function withSnapshot<T>(
  uri: string,
  flags: TableFlags,
  use: (snapshot: Snapshot, store: Store, open: (uri: string) => Promise<Store>) => Promise<T>,
): Promise<T> {
  const { loadSnapshot } = await import('../../delta/log/snapshot.ts')
  const { versionAt } = await import('../../delta/log/time-travel.ts')
  return await withStore(uri, flags, async (store, open) => {
    const version = flags.timestamp === undefined ? flags.version : await versionAt(store, flags.timestamp)
    return use(await loadSnapshot(store, { version }), store, open)
  })
}

/** Reads a version from the command line. */
export function versionOf(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.')
  return BigInt(text)
}

/** Reads a time from the command line, in milliseconds since the epoch. */
export function timeOf(text: string): number {
  const match =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(text)
  const [, date = '', time = '00:00', zone = 'Z'] = match ?? []
  const ms = Date.parse(`${date}T${time}${zone}`)
  if (match === null || Number.isNaN(ms)) {
    throw new InvalidArgumentError('It must be a time such as 2026-01-31 or 2026-01-31T12:30:00Z.')
  }
  return ms
}

/** Reads a number of rows from the command line. */
export function countOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.')
  return Number(text)
}

/** `numRecords` of a file's statistics; `undefined` where it has none. Spec: "Per-file Statistics". */
export function rowsOf(stats: string | undefined): number | undefined {
  if (stats === undefined) return undefined
  const { numRecords } = JSON.parse(stats) as { numRecords?: unknown }
  return typeof numRecords === 'number' ? numRecords : undefined
}

/**
 * Rows of a file less those that its deletion vector deletes; `undefined` where it has no statistics.
 * Throws `KD_TABLE_CORRUPT`. Spec: "Per-file Statistics", "Deletion Vectors".
 */
export function liveRowsOf(add: Pick<Add, 'path' | 'stats' | 'deletionVector'>): number | undefined {
  let rows: number | undefined
  try {
    rows = rowsOf(add.stats)
  } catch (cause) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'add.stats is no JSON object', { path: add.path }, { cause })
  }
  return rows === undefined ? undefined : rows - (deletionVectorOf(add)?.cardinality ?? 0)
}
