import { resolve } from 'node:path'
import type { NewTable } from '../../delta/maintenance/create.ts'
import { createTable, tableExists } from '../../delta/maintenance/create.ts'
import type { TableWriter } from '../../delta/commit/table-writer.ts'
import { openTableWriter, type WriterOptions } from '../../delta/commit/log-writer.ts'
import type { Circuits } from '../../resilience/circuits.ts'
import type { RetryPatience } from '../../resilience/retries.ts'
import type { Store } from '../../storage/store.ts'

/** A table as one topic holds it. */
export interface TableLease {
  readonly store: Store
  /** The writer of all topics that go into the table; `undefined` while there is no table. Throws what `openTableWriter` throws. */
  existing(options: WriterOptions): Promise<TableWriter | undefined>
  /** The same once there is a table, created where it is absent: the first to ask says how. Throws what `createTable` throws. */
  create(table: NewTable, options: WriterOptions): Promise<TableWriter>
  /** Waits for what is on its way; the last topic closes the store. Once. */
  release(): Promise<void>
}

interface Shared {
  readonly store: Promise<Store>
  writer: Promise<TableWriter | undefined> | undefined
  leases: number
}

/** Opens the store of a table, which tries as hard as it is told. */
export type OpenStore = (uri: string, patience: RetryPatience | undefined) => Promise<Store>

/**
 * The tables of one process: topics whose table is the same share its store and its writer, so that their flushes share
 * versions rather than compete for them. A table is known by its URI.
 */
export class Tables {
  /** Those of the process; without them nobody waits for a server that fails. */
  readonly circuits: Circuits | undefined
  readonly #openStore: OpenStore
  readonly #shared = new Map<string, Shared>()

  constructor(openStore: OpenStore, circuits?: Circuits) {
    this.#openStore = openStore
    this.circuits = circuits
  }

  /** `patience` counts where nobody holds the table yet. Throws what opening a store throws. */
  async lease(uri: string, patience?: RetryPatience): Promise<TableLease> {
    const key = keyOf(uri)
    const there = this.#shared.get(key)
    const shared = there ?? { store: this.#openStore(uri, patience), writer: undefined, leases: 0 }
    this.#shared.set(key, shared)
    shared.leases++
    let store: Store
    try {
      store = await shared.store
    } catch (error) {
      this.#drop(key, shared)
      throw error
    }
    return {
      store,
      existing: (options) => writerOf(shared, store, options),
      create: async (table, options) => {
        const there = await writerOf(shared, store, options)
        if (there !== undefined) return there
        // Who loses the race to create it opens the winner's.
        await createTable(store, table, options.clock, options.onWarning)
        return (await writerOf(shared, store, options)) ?? (await openTableWriter(store, options))
      },
      release: async () => {
        const isLast = this.#drop(key, shared)
        const writer = await shared.writer?.catch(() => undefined)
        await writer?.idle()
        if (isLast) await store.close()
      },
    }
  }

  /** Whether nobody holds the table any more. */
  #drop(key: string, shared: Shared): boolean {
    shared.leases--
    if (shared.leases > 0) return false
    if (this.#shared.get(key) === shared) this.#shared.delete(key)
    return true
  }
}

/** One opening for all who ask; asked again after it failed or found no table. */
async function writerOf(
  shared: Shared,
  store: Store,
  options: WriterOptions,
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
    return writer
  } catch (error) {
    forget()
    throw error
  }
}

/** Paths of the file system lead to the same folder however they are written. */
function keyOf(uri: string): string {
  const trimmed = uri.replace(/\/+$/, '')
  return /^[a-z][a-z0-9+.-]+:/i.test(trimmed) ? trimmed : resolve(trimmed)
}
