import type { Readiness, TopicState } from '../../../src/service/health/readiness.ts'
import type { Night } from './night.ts'
import type { NightProcess } from './process.ts'
import type { Evidence } from './said.ts'

/** Describes a line that the log must have. */
export interface LineWanted {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  /** Matches the message. */
  readonly text: RegExp
  readonly code?: string
}

/** Describes a series that `/metrics` must have. */
export interface MetricWanted {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  /** Receives the sum of the series with these labels; `undefined` when there is none. */
  readonly is: (value: number | undefined) => boolean
}

/** Describes what a topic must be said to be. */
interface TopicWanted {
  readonly states: readonly TopicState[]
  readonly reason?: RegExp
  readonly failure?: string
  readonly lag?: 'unknown' | 'number' | 'positive'
}

/** Describes everything that must be said at one time; what is absent may be anything. */
export interface Said {
  readonly code?: 200 | 503
  readonly readiness?: readonly Readiness[]
  /** By the name of the entry. */
  readonly topics?: Readonly<Record<string, TopicWanted>>
  readonly server?: {
    readonly kind: 'kafka' | 'stores' | 'registries'
    readonly states: readonly ('closed' | 'half-open' | 'open')[]
    readonly reason?: RegExp
  }
  readonly lines?: readonly LineWanted[]
  readonly metrics?: readonly MetricWanted[]
  /** Checks more; returns what is not as it should be. */
  readonly also?: (evidence: Evidence) => readonly string[]
  /** The alert that tells of it: `/metrics` must have every metric of its expression. */
  readonly alert?: string
}

/** A table that must hold what a topic holds. */
export interface Carried {
  readonly topic: string
  readonly uri: string
  readonly deadLetterTopic?: string
  readonly env?: NodeJS.ProcessEnv
  /** Where the table lies on this machine. */
  readonly folder?: string
  /** True where dead letters may be there more than once. */
  readonly areRowsOnly?: boolean
}

/** Describes one scenario that is ready to be played. */
export interface Act {
  readonly config: object
  /** What stands before `run`; the built command by default. */
  readonly program?: readonly string[]
  /** Breaks something once the service commits, or is ready where `begins` is 'idle'; absent when it is broken before. */
  readonly fault?: (process: NightProcess) => Promise<void>
  readonly begins?: 'idle'
  readonly said: Said
  /** Exit code of a service that ends because of the fault. */
  readonly exit?: number
  /** Does and checks more while the fault lasts; resolves to what is wrong. */
  readonly during?: (process: NightProcess) => Promise<readonly string[]>
  readonly remedy?: (process: NightProcess) => Promise<void>
  /** Default: ready, and all topics running. */
  readonly recovered?: Said
  /** Tables that are exact at the end. */
  readonly exact?: readonly Carried[]
  /** Tables whose commits tell of progress; default: `exact`. */
  readonly watched?: readonly Carried[]
  /** Checks the tables otherwise, once the service has ended; resolves to what is wrong. */
  readonly verify?: () => Promise<readonly string[]>
  /** Ends what `prepare` began, whatever happened. */
  readonly cleanUp?: () => Promise<void>
}

/** A fault of the night with all that is said and done about it. */
export interface Scenario {
  readonly name: string
  readonly fault: string
  /** What the service does. */
  readonly does: string
  /** What the operator does. */
  readonly remedy: string
  readonly code?: string
  /** True for scenarios that need only the brokers and take a few seconds. */
  readonly isShort?: boolean
  readonly prepare: (night: Night) => Promise<Act>
}
