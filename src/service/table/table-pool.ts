import { resolve } from 'node:path'
import type { NewTable } from '../../delta/maintenance/create.ts'
import { createTable, tableExists } from '../../delta/maintenance/create.ts'
import type { TableWriter } from '../../delta/commit/table-writer.ts'
import { openTableWriter, type TableWriterOptions } from '../../delta/commit/log-writer.ts'
import { Closers } from '../../core/lifecycle/closers.ts'
import type { Circuits } from '../../resilience/circuit-registry.ts'
import type { RetryPolicy } from '../../resilience/retries.ts'
import type { Store } from '../../storage/store.ts'

/** Gives one topic access to a table that several topics may share. */
export interface TableLease {
  readonly store: Store
  /**
   * Returns the writer that all topics of the table share, or `undefined` while the table does not exist.
   * @throws the errors of `openTableWriter`
   */
  openExisting(options: TableWriterOptions): Promise<TableWriter | undefined>
  /**
   * Returns the shared writer and creates the table when it does not exist; the first caller determines its
   * definition.
   * @throws the errors of `createTable`
   */
  openOrCreate(table: NewTable, options: TableWriterOptions): Promise<TableWriter>
  /** Waits for pending writes; the last topic closes the store. Call it once. */
  release(): Promise<void>
}

interface Shared {
  readonly store: Promise<Store>
  writer: Promise<TableWriter | undefined> | undefined
  leases: number
}

/** Opens the store of a table with a retry policy. */
export type TableStoreOpener = (uri: string, retryPolicy: RetryPolicy | undefined) => Promise<Store>

/**
 * Pools the tables of one process by URI. Topics with the same table share its store and its writer, so that their
 * flushes are committed together instead of competing for versions.
 */
export class TablePool {
  /** Circuits of the process; without them nothing waits for a failing server. */
  readonly circuits: Circuits | undefined
  readonly #openStore: TableStoreOpener
  readonly #shared = new Map<string, Shared>()

  constructor(openStore: TableStoreOpener, circuits?: Circuits) {
    this.#openStore = openStore
    this.circuits = circuits
  }

  /**
   * Leases a table. `retryPolicy` applies when no other topic holds the table yet.
   * @throws the errors of opening a store
   */
  async lease(uri: string, retryPolicy?: RetryPolicy): Promise<TableLease> {
    const key = keyOf(uri)
    const existing = this.#shared.get(key)
    const shared = existing ?? { store: this.#openStore(uri, retryPolicy), writer: undefined, leases: 0 }
    this.#shared.set(key, shared)
    shared.leases++
    let store: Store
    try {
      store = await shared.store
    } catch (error) {
      this.#release(key, shared)
      throw error
    }
    return {
      store,
      openExisting: (options) => writerOf(shared, store, options),
      openOrCreate: async (table, options) => {
        const existing = await writerOf(shared, store, options)
        if (existing !== undefined) return existing
        // After losing the race to create the table, the winner's table is opened.
        await createTable(store, table, options.clock, options.onWarning)
        return (await writerOf(shared, store, options)) ?? (await openTableWriter(store, options))
      },
      release: async () => {
        const isLast = this.#release(key, shared)
        const writer = await shared.writer?.catch(() => undefined)
        // The store is closed even if pending writes fail; their error is the one that counts.
        const closers = new Closers(() => undefined)
        if (isLast) closers.add(() => store.close())
        closers.add(() => writer?.idle())
        await closers.close()
      },
    }
  }

  /** Ends one lease and returns true when it was the last. */
  #release(key: string, shared: Shared): boolean {
    shared.leases--
    if (shared.leases > 0) return false
    if (this.#shared.get(key) === shared) this.#shared.delete(key)
    return true
  }
}

/**
 * Returns the shared writer; concurrent callers share one attempt, and a failed attempt or a missing table is tried
 * again.
 */
async function writerOf(
  shared: Shared,
  store: Store,
  options: TableWriterOptions,
): Promise<TableWriter | undefined> {
  const opening = (shared.writer ??= tableExists(store).then((exists) =>
    exists ? openTableWriter(store, options) : undefined,
  ))
  const forget = (): void => {
    if (shared.writer === opening) shared.writer = undefined
  }
  try {
    const writer = await opening
    if (writer === undefined) forget()
    if (writer?.isReplaced !== true) return writer
    // Its other topics fail at their next commit; a topic that starts now starts with the new table.
    forget()
    return await writerOf(shared, store, options)
  } catch (error) {
    forget()
    throw error
  }
}

/** Resolves file paths, so that different spellings of one directory are the same table. */
function keyOf(uri: string): string {
  const trimmed = uri.replace(/\/+$/, '')
  return /^[a-z][a-z0-9+.-]+:/i.test(trimmed) ? trimmed : resolve(trimmed)
}
