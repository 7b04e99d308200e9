import type { StructType } from '../../core/schema.ts'
import type { MessageSource } from '../../formats/sources.ts'

/** Collects the sources that the steps of a topic need, each path once. */
export class MessageSources {
  readonly #messages: StructType
  readonly #sources: { path: readonly string[]; use: MessageSource['use']; isIgnored: boolean }[] = []

  constructor(messages: StructType) {
    this.#messages = messages
  }

  get all(): readonly MessageSource[] {
    return this.#sources
  }

  /** Returns the source of a path that an expression reads. */
  read(path: readonly string[]): number {
    return this.#add(path, 'read', false)
  }

  /**
   * Returns the source at the destination of a transform. Where messages have no column for the object that contains it,
   * they must not have that object either.
   */
  replace(path: readonly string[]): number {
    return this.#change(path)
  }

  /** Returns the source at a path that is removed. */
  remove(path: readonly string[]): number {
    return this.#change(path)
  }

  /**
   * Returns the source at a path that is renamed. A message must not have a field of the new name, nor, unless rows have a
   * column of that name, the field itself.
   */
  rename(from: readonly string[], to: readonly string[], rows: StructType): number {
    this.#add(to, 'absent', true)
    const type = this.#messages.fields.find(({ name }) => name === from[0])?.type
    // Fields without a column are counted under their new names, which only objects show.
    const hasColumn = typeof type === 'string' && rows.fields.some(({ name }) => name === to[0])
    return this.#add(from, hasColumn ? 'read' : 'absent', true)
  }

  /** Leaves messages that have a field to the way of objects. */
  refuse(path: readonly string[]): void {
    this.#add(path, 'absent', true)
  }

  #change(path: readonly string[]): number {
    let type: StructType | undefined = this.#messages
    for (let depth = 1; depth < path.length; depth++) {
      const inner: StructType['fields'][number]['type'] | undefined = type.fields.find(
        ({ name }) => name === path[depth - 1],
      )?.type
      type = typeof inner === 'object' && inner.type === 'struct' ? inner : undefined
      if (type === undefined) return this.#add(path.slice(0, depth), 'absent', true)
    }
    return this.#add(path, 'read', true)
  }

  #add(path: readonly string[], use: MessageSource['use'], isIgnored: boolean): number {
    const there = this.#sources.findIndex(
      (source) =>
        source.path.length === path.length && source.path.every((name, index) => name === path[index]),
    )
    const source = this.#sources[there]
    if (source === undefined) return this.#sources.push({ path, use, isIgnored }) - 1
    if (use === 'absent') source.use = use
    source.isIgnored ||= isIgnored
    return there
  }
}
