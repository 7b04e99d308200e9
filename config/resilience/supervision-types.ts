/** Names what happens to the other topics when one fails permanently. */
export type OnFailure = 'stop-topic' | 'stop-process'

/** Configures a process with several topics. */
export interface SupervisionConfig {
  readonly onFailure: OnFailure
  /** Bytes shared by all topics; without `bytes` it is derived from the available memory. */
  readonly budget: { readonly bytes?: number }
  readonly shutdown: { readonly deadlineMs: number }
}

/** Configures what happens when one topic fails. */
export interface TopicSupervisionConfig {
  /** Defaults to the option of the process. */
  readonly onFailure?: OnFailure
  readonly restart: RestartConfig
}

/**
 * Limits restarts of a topic: at most `attempts` starts without a commit, with a random backoff of up to
 * `baseMs`, doubled each time up to `capMs`.
 */
interface RestartConfig {
  readonly attempts: number
  readonly baseMs: number
  readonly capMs: number
}
