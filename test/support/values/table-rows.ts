import { requireCommit } from '../../../src/delta/log/log-segment.ts'
import { decodePath } from '../../../src/delta/protocol/paths.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { readArrowTables } from '../../../src/parquet/reader.ts'
import type { Store } from '../../../src/storage/store.ts'

/** What one version of a table brought. */
export interface VersionFacts {
  readonly version: bigint
  /** Rows as `partition/offset` of the Kafka columns. */
  readonly rows: readonly string[]
  /** Last offset by appId. */
  readonly txns: ReadonlyMap<string, bigint>
}

/** Every version after the first, read from the log and the files that it names. */
export async function versionsOf(store: Store): Promise<VersionFacts[]> {
  const { version: newest } = await loadSnapshot(store)
  const versions: VersionFacts[] = []
  for (let version = 1n; version <= newest; version++) {
    const rows: string[] = []
    const txns = new Map<string, bigint>()
    for (const action of (await requireCommit(store, version)).actions) {
      if (action.kind === 'txn') txns.set(action.txn.appId, action.txn.version)
      if (action.kind !== 'add') continue
      const { path } = action.add
      for (const table of readArrowTables(path, await store.get(decodePath(path)))) {
        for (const row of table as Iterable<Record<string, unknown>>)
          rows.push(`${String(row['_kafka_partition'])}/${String(row['_kafka_offset'])}`)
      }
    }
    versions.push({ version, rows, txns })
  }
  return versions
}
