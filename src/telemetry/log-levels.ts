import type { Logger } from 'pino'
import type { LogLevel } from '../../config/logging/types.ts'

/** Number of topic loggers at which collected ones are removed from the list. */
const CHILDREN_SWEPT_AT = 256

/**
 * Holds the level of a log and the levels of topics, which the binding `topic` of their child loggers identifies. Changes
 * apply immediately to all loggers made from the log.
 */
export class LogLevels {
  readonly #topics = new Map<string, LogLevel>()
  /** Weak, so that loggers of ended topics can be collected. */
  #children: WeakRef<Logger>[] = []
  #root: Logger | undefined
  #level: LogLevel = 'info'
  #sweepAt = CHILDREN_SWEPT_AT

  /** The current levels; `topics` are the topics with a level of their own. */
  get current(): { readonly level: LogLevel; readonly topics: Readonly<Record<string, LogLevel>> } {
    return { level: this.#level, topics: Object.fromEntries(this.#topics) }
  }

  /** Sets the level of a topic or, without `topic`, the general level; `undefined` removes the level of a topic. */
  set(level: LogLevel | undefined, topic?: string): void {
    if (topic === undefined) this.#level = level ?? this.#level
    else if (level === undefined) this.#topics.delete(topic)
    else this.#topics.set(topic, level)
    if (this.#root !== undefined) this.#root.level = this.#level
    for (const child of this.#children) this.#apply(child.deref())
  }

  /** Sets the root logger and takes over its level. */
  setRoot(root: Logger): void {
    this.#root = root
    this.#level = root.level as LogLevel
  }

  /** Adds a child logger, whose level follows changes from now on. */
  add(child: Logger): void {
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
