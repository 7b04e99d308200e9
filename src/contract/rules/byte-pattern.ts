import { parsePattern, type PatternNode } from './pattern-syntax.ts'

/** States of a finished automaton. Patterns that need more are matched on text. */
const STATES_MAX = 256
/** Transitions of the automaton from which it is made. */
const STEPS_MAX = 1_000

/** Matches ASCII text as the regular expression does that it is made from. */
export interface BytePattern {
  /** The next state, at `state * 128 + byte`. State 0 is the first one. */
  readonly next: Uint16Array
  /** 1 for states in which text ends that matches. */
  readonly accepts: Uint8Array
}

/**
 * Returns an automaton for a regular expression, or `undefined` when the expression goes beyond characters, classes,
 * groups, alternatives and repetition, or needs too many states.
 */
export function bytePatternOf({ source, flags }: RegExp): BytePattern | undefined {
  const parsed = parsePattern(source, flags.includes('i'))
  if (parsed === undefined || /[^iug]/.test(flags)) return undefined
  const steps = new Steps()
  const first = steps.add()
  const last = steps.connect(parsed.node, first)
  if (last === undefined) return undefined
  if (!parsed.fromStart) steps.edges[first]?.push({ on: ANY, to: first })
  if (!parsed.toEnd) steps.edges[last]?.push({ on: ANY, to: last })
  return determine(steps, first, last)
}

const ANY: readonly boolean[] = new Array<boolean>(128).fill(true)

interface Edge {
  /** The bytes that the edge consumes; undefined for none. */
  readonly on: readonly boolean[] | undefined
  readonly to: number
}

class Steps {
  readonly edges: Edge[][] = []

  add(): number {
    return this.edges.push([]) - 1
  }

  /** Adds the steps of `node` after the state `from`. Returns the state in which it ends, or undefined for too many. */
  connect(node: PatternNode, from: number): number | undefined {
    if (this.edges.length > STEPS_MAX) return undefined
    switch (node.kind) {
      case 'set': {
        const to = this.add()
        this.edges[from]?.push({ on: node.bytes, to })
        return to
      }
      case 'sequence': {
        let at: number | undefined = from
        for (const item of node.items) if (at !== undefined) at = this.connect(item, at)
        return at
      }
      case 'choice': {
        const to = this.add()
        for (const item of node.items) {
          const start = this.add()
          this.#skip(from, start)
          const end = this.connect(item, start)
          if (end === undefined) return undefined
          this.#skip(end, to)
        }
        return to
      }
      case 'repeat':
        return this.#repeat(node, from)
    }
  }

  #repeat(
    { item, min, max }: Extract<PatternNode, { readonly kind: 'repeat' }>,
    from: number,
  ): number | undefined {
    let at: number | undefined = from
    for (let i = 0; i < min; i++) if (at !== undefined) at = this.connect(item, at)
    if (at === undefined) return undefined
    if (max === Infinity) {
      const loop = this.add()
      this.#skip(at, loop)
      const end = this.connect(item, loop)
      if (end === undefined) return undefined
      this.#skip(end, loop)
      const to = this.add()
      this.#skip(loop, to)
      return to
    }
    const to = this.add()
    this.#skip(at, to)
    for (let i = min; i < max; i++) {
      const start = this.add()
      this.#skip(at, start)
      at = this.connect(item, start)
      if (at === undefined) return undefined
      this.#skip(at, to)
    }
    return to
  }

  #skip(from: number, to: number): void {
    this.edges[from]?.push({ on: undefined, to })
  }
}

/** Returns the automaton whose states are the sets of steps that text can reach. */
function determine({ edges }: Steps, first: number, last: number): BytePattern | undefined {
  const closed = (states: Iterable<number>): number[] => {
    const seen = new Set(states)
    for (const state of seen) for (const { on, to } of edges[state] ?? []) if (on === undefined) seen.add(to)
    return [...seen].sort((a, b) => a - b)
  }
  const sets = [closed([first])]
  const numbers = new Map([[String(sets[0]), 0]])
  const next: number[] = []
  const numberOf = (set: number[]): number => {
    const number = numbers.get(String(set)) ?? sets.push(set) - 1
    numbers.set(String(set), number)
    return number
  }
  for (let state = 0; state < sets.length; state++) {
    if (sets.length > STATES_MAX) return undefined
    const set = sets[state] ?? []
    const known = new Map<string, number>()
    for (let byte = 0; byte < 128; byte++) {
      const targets = set.flatMap((from) =>
        (edges[from] ?? []).flatMap(({ on, to }) => (on?.[byte] === true ? [to] : [])),
      )
      // Most bytes lead to the same few states.
      const number = known.get(String(targets)) ?? numberOf(closed(targets))
      known.set(String(targets), number)
      next.push(number)
    }
  }
  return {
    next: Uint16Array.from(next),
    accepts: Uint8Array.from(sets, (set) => (set.includes(last) ? 1 : 0)),
  }
}

/** Returns 1 when `bytes[start..end)` matches, 0 when it does not, and -1 when it is not ASCII. */
export function matchBytes(
  { next, accepts }: BytePattern,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let state = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte > 127) return -1
    state = next[state * 128 + byte] as number
  }
  return accepts[state] as number
}
