import { randomUUID } from 'node:crypto'
import type { StructType } from '../../src/core/schema.ts'
import { serialiseActions } from '../../src/delta/protocol/action-json.ts'
import type { Action, Add } from '../../src/delta/protocol/actions.ts'
import { createTable } from '../../src/delta/maintenance/create.ts'
import { commitKey } from '../../src/delta/protocol/paths.ts'
import { serialiseSchema } from '../../src/delta/schema/schema-json.ts'
import { commitInfoOf, type LogCommit } from '../../src/delta/log/state.ts'
import { readCommitsFrom } from '../../src/delta/commit/commit.ts'
import type { Append } from '../../src/delta/commit/table-writer.ts'
import type { Store } from '../../src/storage/store.ts'

/** Schema with one column of long. */
export const ONE_LONG: StructType = {
  type: 'struct',
  fields: [{ name: 'id', type: 'long', nullable: true, metadata: {} }],
}

/** Creates an empty table of one column. */
export async function emptyTable(store: Store, configuration: Record<string, string> = {}): Promise<void> {
  await createTable(store, { schema: ONE_LONG, partitionColumns: [], configuration })
}

/** Creates an empty table of one column as another engine would, with features by name. */
export async function featuredTable(
  store: Store,
  writerFeatures: readonly string[],
  configuration: Record<string, string> = {},
  commitInfo: Record<string, unknown> = {},
): Promise<void> {
  const format = { provider: 'parquet', options: {} }
  const schemaString = serialiseSchema(ONE_LONG)
  const actions: Action[] = [
    { kind: 'commitInfo', commitInfo: { operation: 'CREATE TABLE', ...commitInfo } },
    { kind: 'protocol', protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures } },
    {
      kind: 'metaData',
      metaData: { id: randomUUID(), format, schemaString, partitionColumns: [], configuration },
    },
  ]
  await store.putIfAbsent(commitKey(0n), serialiseActions(actions))
}

/** Returns an `add` of a file that need not exist. */
export function someAdd(path = `${randomUUID()}.parquet`): Add {
  return { path, partitionValues: {}, size: 100, modificationTime: 1_700_000_000_000, dataChange: true }
}

/** Returns an append of one file that moves one appId from `follows` to `version`. */
export function someAppend(
  appId: string,
  follows: bigint | undefined,
  version: bigint,
  path?: string,
): Append {
  return {
    adds: [someAdd(path)],
    txns: [{ appId, version, follows }],
    operationParameters: { outputMode: 'Append' },
    operationMetrics: { numFiles: '1', numOutputRows: '1', numOutputBytes: '100' },
  }
}

/** Reads all commits from version 0 on. */
export async function allCommits(store: Store): Promise<readonly LogCommit[]> {
  return await readCommitsFrom(store, 0n)
}

/** Returns the `txn` versions of one appId in commit order. */
export function txnsOf(commits: readonly LogCommit[], appId: string): bigint[] {
  return commits.flatMap(({ actions }) =>
    actions.flatMap((action) =>
      action.kind === 'txn' && action.txn.appId === appId ? [action.txn.version] : [],
    ),
  )
}

/** Returns the `operation` of a commit. */
export function operationOf(commit: LogCommit): unknown {
  return commitInfoOf(commit)?.['operation']
}

/** Returns the paths of files. */
export async function pathsOf(files: AsyncIterable<Add>): Promise<string[]> {
  const paths: string[] = []
  for await (const add of files) paths.push(add.path)
  return paths
}

/** Clock whose waits take no time. */
export const hastyClock = { now: () => Date.now(), sleep: () => Promise.resolve() }
