import { ROOT_CONTEXT } from '@opentelemetry/api'
import type { Clock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { inSpan } from '../../core/stage/span.ts'
import type { Store } from '../../storage/store.ts'
import { checkpointInterval, writeCheckpoint } from './checkpoint-write.ts'
import type { TableState } from '../log/state.ts'

/** What became of a checkpoint that was due. */
export type CheckpointEnd = 'written' | 'failed'

/**
 * Writes the checkpoints that one writer's commits make due, beside the commits that follow, which do not wait for them;
 * one at a time. Never fails a commit: what failed, or came due meanwhile, is done after the next one. Spec: "Checkpoints".
 */
export class Checkpoints {
  readonly #store: Store
  readonly #clock: Clock
  readonly #onWarning: (warning: PipelineError) => void
  readonly #onEnd: (outcome: CheckpointEnd) => void
  #isDue = false
  #onTheWay: Promise<unknown> | undefined

  constructor(
    store: Store,
    clock: Clock,
    onWarning: (warning: PipelineError) => void,
    onEnd: (outcome: CheckpointEnd) => void = () => undefined,
  ) {
    this.#store = store
    this.#clock = clock
    this.#onWarning = onWarning
    this.#onEnd = onEnd
  }

  /** Told of the state of the table right after a commit. */
  committed(state: TableState): void {
    const { configuration } = state.metadata
    if (!this.#isDue && state.version % checkpointInterval(configuration) !== 0n) return
    this.#isDue = true
    if (this.#onTheWay !== undefined) return
    this.#isDue = false
    const write = (): Promise<unknown> =>
      writeCheckpoint(this.#store, state.version, { nowMs: this.#clock.now(), known: state })
    // A trace of its own: the commit's has ended before.
    this.#onTheWay = inSpan(ROOT_CONTEXT, 'delta checkpoint', {}, write)
      .then(() => this.#onEnd('written'))
      .catch((cause: unknown) => {
        this.#isDue = true
        this.#onEnd('failed')
        const context = { table: this.#store.uri, version: state.version }
        this.#onWarning(new PipelineError('KD_CHECKPOINT_FAILED', messageOf(cause), context, { cause }))
      })
      .finally(() => {
        this.#onTheWay = undefined
      })
  }

  /** Resolves once none is on its way. */
  async idle(): Promise<void> {
    await this.#onTheWay
  }
}
