import { ROOT_CONTEXT } from '@opentelemetry/api'
import type { Clock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { inSpan } from '../../core/stage/span.ts'
import type { Store } from '../../storage/store.ts'
import { checkpointIntervalOf, writeCheckpoint } from './checkpoint-write.ts'
import type { TableState } from '../log/state.ts'

/** Tells how a due checkpoint ended. */
export type CheckpointResult = 'written' | 'failed'

/**
 * Writes the checkpoints that become due by the commits of one writer, in the background and one at a time. A failure
 * never fails a commit: a checkpoint that failed, or became due while another was being written, is written after the
 * next commit. Spec: "Checkpoints".
 */
export class CheckpointScheduler {
  readonly #store: Store
  readonly #clock: Clock
  readonly #onWarning: (warning: PipelineError) => void
  readonly #onEnd: (outcome: CheckpointResult, durationMs: number) => void
  #isDue = false
  #writing: Promise<unknown> | undefined

  constructor(
    store: Store,
    clock: Clock,
    onWarning: (warning: PipelineError) => void,
    onEnd: (outcome: CheckpointResult, durationMs: number) => void = () => undefined,
  ) {
    this.#store = store
    this.#clock = clock
    this.#onWarning = onWarning
    this.#onEnd = onEnd
  }

  /** Takes the state of the table right after a commit and starts a checkpoint if one is due. */
  onCommit(state: TableState): void {
    const { configuration } = state.metadata
    if (!this.#isDue && state.version % checkpointIntervalOf(configuration) !== 0n) return
    this.#isDue = true
    if (this.#writing !== undefined) return
    this.#isDue = false
    const startedAtMs = this.#clock.now()
    const end = (outcome: CheckpointResult): void => this.#onEnd(outcome, this.#clock.now() - startedAtMs)
    const write = (): Promise<unknown> =>
      writeCheckpoint(this.#store, state.version, { nowMs: startedAtMs, knownState: state })
    // A separate trace, because the trace of the commit may have ended.
    this.#writing = inSpan(ROOT_CONTEXT, 'delta checkpoint', {}, write)
      .then(() => end('written'))
      .catch((cause: unknown) => {
        this.#isDue = true
        end('failed')
        const context = { table: this.#store.uri, version: state.version }
        this.#onWarning(new PipelineError('KD_CHECKPOINT_FAILED', messageOf(cause), context, { cause }))
      })
      .finally(() => {
        this.#writing = undefined
      })
  }

  /** Resolves when no checkpoint is being written. */
  async idle(): Promise<void> {
    await this.#writing
  }
}
