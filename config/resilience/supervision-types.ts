/** What a topic that fails for good does to the others. */
export type OnFailure = 'stop-topic' | 'stop-process'

/** Options of a process with several topics. */
export interface SupervisionConfig {
  readonly onFailure: OnFailure
  /** Without `bytes` it follows from the memory of the machine. */
  readonly budget: { readonly bytes?: number }
  readonly shutdown: { readonly deadlineMs: number }
}

/** What becomes of one topic that fails. */
export interface TopicSupervisionConfig {
  /** That of the process where absent. */
  readonly onFailure?: OnFailure
  readonly restart: RestartConfig
}

/** How often a topic is begun again, and how long it waits before: up to `baseMs`, twice as much each time, `capMs` at most. */
export interface RestartConfig {
  readonly attempts: number
  readonly baseMs: number
  readonly capMs: number
}
