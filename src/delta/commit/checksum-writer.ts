import { ROOT_CONTEXT } from '@opentelemetry/api'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { inSpan } from '../../core/stage/span.ts'
import type { Store } from '../../storage/store.ts'
import { readChecksum, writeChecksum } from '../log/checksum.ts'
import type { TableState } from '../log/state.ts'
import { type FileTotals, sumTotals } from '../log/totals.ts'
import { checksumKey } from '../protocol/paths.ts'
import { deleteIfUnchanged, undoUnlessSameTable } from './same-table.ts'

/** Maximum of checksums written at a time; commits beyond that get none. */
const CONCURRENT_MAX = 4
/** Attempts to find the checksum with the totals at which counting started. */
const LOOK_UPS_MAX = 3

/**
 * Writes the checksums of one writer's commits in the background: commits neither wait for them nor fail with them.
 * Spec: "Version Checksum File".
 */
export class ChecksumWriter {
  readonly #store: Store
  readonly #onWarning: (warning: PipelineError) => void
  readonly #pending = new Set<Promise<void>>()
  #base: { readonly since: bigint; readonly lookUps: number; readonly totals?: FileTotals } | undefined
  #hasWarned = false

  constructor(store: Store, onWarning: (warning: PipelineError) => void) {
    this.#store = store
    this.#onWarning = onWarning
  }

  /** Takes the state of the table right after a commit and starts to write its checksum. */
  onCommit(state: TableState): void {
    if (this.#pending.size >= CONCURRENT_MAX) return
    // A separate trace, because the trace of the commit may have ended.
    const writing: Promise<void> = inSpan(ROOT_CONTEXT, 'delta checksum', {}, () => this.#write(state))
      .then(() => {
        this.#hasWarned = false
      })
      .catch((cause: unknown) => {
        this.#warn(state.version, cause)
      })
      .finally(() => this.#pending.delete(writing))
    this.#pending.add(writing)
  }

  /** Resolves when no checksum is being written. */
  async idle(): Promise<void> {
    await Promise.all(this.#pending)
  }

  async #write(state: TableState): Promise<void> {
    const totals = await this.#wholeTotals(state.totals)
    const body = totals && (await writeChecksum(this.#store, { ...state, totals }))
    if (body === undefined) return
    const undo = (): Promise<void> => deleteIfUnchanged(this.#store, checksumKey(state.version), body)
    await undoUnlessSameTable(this.#store, state, undo)
  }

  /** Returns the totals of the whole table; `undefined` if the totals at the start of counting are unknown. */
  async #wholeTotals(totals: FileTotals | undefined): Promise<FileTotals | undefined> {
    const since = totals?.sinceVersion
    if (totals === undefined || since === undefined) return totals
    let base = this.#base?.since === since ? this.#base : { since, lookUps: 0 }
    if (base.totals === undefined && base.lookUps < LOOK_UPS_MAX) {
      // Another writer's checksum may arrive some time after its commit.
      const found = await readChecksum(this.#store, since)
      base = { since, lookUps: base.lookUps + 1, ...(found === undefined ? {} : { totals: found.totals }) }
      this.#base = base
    }
    return base.totals === undefined ? undefined : sumTotals(totals, base.totals)
  }

  /** Warns once until a checksum is written again: a store that refuses one refuses them all. */
  #warn(version: bigint, cause: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    const context = { table: this.#store.uri, version }
    this.#onWarning(new PipelineError('KD_CHECKSUM_FAILED', messageOf(cause), context, { cause }))
  }
}
