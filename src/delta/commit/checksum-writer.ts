import { ROOT_CONTEXT } from '@opentelemetry/api'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { inSpan } from '../../core/stage/span.ts'
import type { Store } from '../../storage/store.ts'
import { readChecksum, writeChecksum } from '../log/checksum.ts'
import type { TableState } from '../log/state.ts'
import { type Totals, wholeTotals } from '../log/totals.ts'

/** Checksums that are on their way at a time; while as many are, commits get none. */
const ON_THE_WAY_MAX = 4
/** Times that the checksum is looked for which says what the table held before its files were counted. */
const LOOK_UPS_MAX = 3

/**
 * Writes the checksums of one writer's commits beside the commits that follow, which neither wait for them nor fail with
 * them. Spec: "Version Checksum File".
 */
export class Checksums {
  readonly #store: Store
  readonly #onWarning: (warning: PipelineError) => void
  readonly #onTheWay = new Set<Promise<void>>()
  #base: { readonly since: bigint; readonly lookUps: number; readonly totals?: Totals } | undefined
  #hasWarned = false

  constructor(store: Store, onWarning: (warning: PipelineError) => void) {
    this.#store = store
    this.#onWarning = onWarning
  }

  /** Told of the state of the table right after a commit. */
  committed(state: TableState): void {
    if (this.#onTheWay.size >= ON_THE_WAY_MAX) return
    // A trace of its own: the commit's has ended before.
    const writing: Promise<void> = inSpan(ROOT_CONTEXT, 'delta checksum', {}, () => this.#write(state))
      .then(() => {
        this.#hasWarned = false
      })
      .catch((cause: unknown) => {
        this.#warn(state.version, cause)
      })
      .finally(() => this.#onTheWay.delete(writing))
    this.#onTheWay.add(writing)
  }

  /** Resolves once none is on its way. */
  async idle(): Promise<void> {
    await Promise.all(this.#onTheWay)
  }

  async #write(state: TableState): Promise<void> {
    const totals = await this.#whole(state.totals)
    if (totals !== undefined) await writeChecksum(this.#store, { ...state, totals })
  }

  /** The totals of the whole table; `undefined` where nobody says what it held when counting began. */
  async #whole(totals: Totals | undefined): Promise<Totals | undefined> {
    const since = totals?.since
    if (totals === undefined || since === undefined) return totals
    let base = this.#base?.since === since ? this.#base : { since, lookUps: 0 }
    if (base.totals === undefined && base.lookUps < LOOK_UPS_MAX) {
      // Another writer's checksum comes some time after its commit.
      const found = await readChecksum(this.#store, since)
      base = { since, lookUps: base.lookUps + 1, ...(found === undefined ? {} : { totals: found.totals }) }
      this.#base = base
    }
    return base.totals === undefined ? undefined : wholeTotals(totals, base.totals)
  }

  /** Once, until one succeeds: a store that refuses one refuses them all. */
  #warn(version: bigint, cause: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    const context = { table: this.#store.uri, version }
    this.#onWarning(new PipelineError('KD_CHECKSUM_FAILED', messageOf(cause), context, { cause }))
  }
}
