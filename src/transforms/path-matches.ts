import { formatPath, type FieldPath } from '../../config/transforms/path.ts'
import { isMessageObject } from '../core/exact.ts'

/** Number of messages in which a path of `drop` or `rename` must match a field before it is reported. */
const MESSAGES_MAX = 1_000

/** Names an option whose paths are watched. */
export type PathOption = 'drop' | 'rename' | 'transforms'

/** Describes a path of the options. */
export interface WatchedPath {
  readonly option: PathOption
  /** The path as written in the options. */
  readonly text: string
  readonly names: FieldPath
}

/** Reports that a path has matched no field, with a message for operators, or that such a path has matched one. */
export type PathEvent =
  | {
      readonly kind: 'path-unmatched'
      readonly option: PathOption
      readonly path: string
      readonly message: string
    }
  | { readonly kind: 'path-matched'; readonly option: PathOption; readonly path: string }

/**
 * Finds paths of `drop` and `rename` that match no field of the messages, and destinations of transforms that leave a
 * field of another spelling as it is. Each is reported once: at the first message that has the field under another
 * spelling, otherwise after 1,000 messages or at the end.
 */
export class PathMatches {
  readonly #paths: readonly WatchedPath[]
  readonly #states: ('pending' | 'matched' | 'reported')[]
  /** Indexes of the destinations that are still compared with messages. */
  #destinations: readonly number[]
  #messages = 0
  #report: ((event: PathEvent) => void) | undefined

  constructor(paths: readonly WatchedPath[]) {
    this.#paths = paths
    this.#states = paths.map(() => 'pending')
    this.#destinations = paths.flatMap(({ option }, index) => (option === 'transforms' ? [index] : []))
  }

  /** Reports each event from now on to `report`, which must not throw. */
  follow(report: (event: PathEvent) => void): void {
    this.#report = report
  }

  /** True while every message must be noted: until 1,000 of them were. */
  get needsMessages(): boolean {
    return this.#paths.length > 0 && this.#messages <= MESSAGES_MAX
  }

  /** Returns true when the path at `index` was reported as unmatched, so that its first match is reported too. */
  awaitsMatch(index: number): boolean {
    return this.#states[index] === 'reported' && this.#paths[index]?.option !== 'transforms'
  }

  /** Notes the next message, before any path is applied to it. */
  start(message: object): void {
    if (this.#messages > MESSAGES_MAX) return
    if (this.#messages === MESSAGES_MAX) this.finish()
    this.#messages++
    if (this.#destinations.length > 0) this.#compareDestinations(message)
  }

  /** Notes that the path at `index` has matched a field of the message. */
  matched(index: number): void {
    const state = this.#states[index]
    if (state === 'matched') return
    this.#states[index] = 'matched'
    const { option, text: path } = this.#paths[index] as WatchedPath
    if (state === 'reported') this.#report?.({ kind: 'path-matched', option, path })
  }

  /** Notes that the path at `index` has matched no field of a message. */
  missed(index: number, message: object): void {
    if (this.#states[index] !== 'pending') return
    const path = this.#paths[index] as WatchedPath
    const spelling = findSpelling(message, partsOf(path.names))
    if (spelling !== undefined)
      this.#tell(index, `matched no field, but ${describeSpelling(path.names, spelling)}`)
  }

  /** Reports the paths that have matched no field so far. Call it at the end of the messages. */
  finish(): void {
    this.#destinations = []
    if (this.#messages === 0) return
    const count =
      this.#messages === 1 ? 'the only message' : `the first ${this.#messages.toLocaleString('en')} messages`
    for (const [index, { option }] of this.#paths.entries())
      if (option !== 'transforms' && this.#states[index] === 'pending')
        this.#tell(
          index,
          `matched no field in ${count}; a path does not enter lists, and its names are case-sensitive`,
        )
  }

  #compareDestinations(message: object): void {
    for (const index of this.#destinations) {
      const { names } = this.#paths[index] as WatchedPath
      const spelling = findSpelling(message, partsOf(names))
      if (spelling === undefined || formatPath(spelling) === formatPath(names)) continue
      this.#tell(index, `does not replace a field that messages have: ${describeSpelling(names, spelling)}`)
    }
  }

  #tell(index: number, fault: string): void {
    const { option, text: path } = this.#paths[index] as WatchedPath
    this.#states[index] = 'reported'
    this.#destinations = this.#destinations.filter((other) => other !== index)
    this.#report?.({
      kind: 'path-unmatched',
      option,
      path,
      message: `${option} ${JSON.stringify(path)} ${fault}`,
    })
  }
}

/** Returns the names without regard to where a path has dots in its names. */
function partsOf(names: FieldPath): FieldPath {
  return names.flatMap((name) => name.split('.'))
}

/** Returns the path of a field of the message that differs from `parts` only in case and in how dots join names. */
function findSpelling(value: unknown, parts: FieldPath): FieldPath | undefined {
  if (!isMessageObject(value)) return undefined
  const keys = Object.keys(value)
  for (let count = 1; count <= parts.length; count++) {
    const name = parts.slice(0, count).join('.')
    const folded = name.toLowerCase()
    for (const key of keys) {
      if (key !== name && (key.length !== name.length || key.toLowerCase() !== folded)) continue
      if (count === parts.length) return [key]
      const rest = findSpelling((value as Record<string, unknown>)[key], parts.slice(count))
      if (rest !== undefined) return [key, ...rest]
    }
  }
  return undefined
}

function describeSpelling(names: FieldPath, spelling: FieldPath): string {
  const [dotted] = spelling.filter((name) => name.includes('.'))
  const write = `write ${JSON.stringify(formatPath(spelling))}`
  if (dotted !== undefined && !names.includes(dotted))
    return `the name ${JSON.stringify(dotted)} of a field contains a dot: ${write}`
  if (spelling.length > names.length) return `the field lies inside an object: ${write}`
  return `the name of the field differs: ${write}`
}
