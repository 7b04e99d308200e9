import type { Logger } from 'pino'
import type { LogLevel } from '../../config/logging/types.ts'

/** Loggers of a topic are looked through for gone ones when there are as many. */
const CHILDREN_SWEPT_AT = 256

/**
 * How much a log tells: as a whole, and of topics that have a level of their own, which are known by the binding `topic` of
 * the loggers made for them. Changes count at once, for all loggers that were made of the log.
 */
export class LogLevels {
  readonly #topics = new Map<string, LogLevel>()
  /** Loggers of a topic that has ended are left to the garbage collector. */
  #children: WeakRef<Logger>[] = []
  #root: Logger | undefined
  #level: LogLevel = 'info'
  #sweepAt = CHILDREN_SWEPT_AT

  /** How it stands now: `topics` are those with a level of their own. */
  get all(): { readonly level: LogLevel; readonly topics: Readonly<Record<string, LogLevel>> } {
    return { level: this.#level, topics: Object.fromEntries(this.#topics) }
  }

  /** Changes the level of a topic, or that of everything that has none of its own; `undefined` takes its own from a topic. */
  set(level: LogLevel | undefined, topic?: string): void {
    if (topic === undefined) this.#level = level ?? this.#level
    else if (level === undefined) this.#topics.delete(topic)
    else this.#topics.set(topic, level)
    if (this.#root !== undefined) this.#root.level = this.#level
    for (const child of this.#children) this.#apply(child.deref())
  }

  /** The log that all others are made of, with the level that it has. */
  follow(root: Logger): void {
    this.#root = root
    this.#level = root.level as LogLevel
  }

  /** A logger was made of it: it follows from now on. */
  made(child: Logger): void {
    if (this.#children.length >= this.#sweepAt) {
      this.#children = this.#children.filter((each) => each.deref() !== undefined)
      this.#sweepAt = Math.max(CHILDREN_SWEPT_AT, 2 * this.#children.length)
    }
    this.#children.push(new WeakRef(child))
    this.#apply(child)
  }

  #apply(child: Logger | undefined): void {
    if (child === undefined) return
    const { topic } = child.bindings()
    const own = typeof topic === 'string' ? this.#topics.get(topic) : undefined
    child.level = own ?? this.#level
  }
}
