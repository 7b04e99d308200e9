/** Describes a part of a regular expression over ASCII. */
export type PatternNode =
  | { readonly kind: 'set'; readonly bytes: readonly boolean[] }
  | { readonly kind: 'sequence' | 'choice'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly item: PatternNode; readonly min: number; readonly max: number }

/** Repetitions that a pattern may count. */
const COUNT_MAX = 256
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 }
const SPACES = [9, 10, 11, 12, 13, 32]

/**
 * Parses the source of a regular expression. Returns `undefined` for anything but characters, classes, groups,
 * alternatives, repetition, and the anchors at both ends.
 */
export function parsePattern(
  source: string,
  ignoresCase: boolean,
): { readonly node: PatternNode; readonly fromStart: boolean; readonly toEnd: boolean } | undefined {
  // A character beyond ASCII may be two units of text, of which a quantifier means both.
  if (/[^\u0000-\u007f]/.test(source)) return undefined
  const fromStart = source.startsWith('^')
  const toEnd = /(?:^|[^\\])(?:\\\\)*\$$/.test(source)
  const parser = new Parser(source.slice(fromStart ? 1 : 0, toEnd ? -1 : undefined), ignoresCase)
  const node = parser.choice()
  if (node === undefined || !parser.isDone) return undefined
  // An anchor belongs to one alternative only.
  if (node.kind === 'choice' && (fromStart || toEnd)) return undefined
  return { node, fromStart, toEnd }
}

class Parser {
  readonly #source: string
  readonly #ignoresCase: boolean
  #at = 0

  constructor(source: string, ignoresCase: boolean) {
    this.#source = source
    this.#ignoresCase = ignoresCase
  }

  get isDone(): boolean {
    return this.#at === this.#source.length
  }

  choice(): PatternNode | undefined {
    const items: PatternNode[] = []
    do {
      const item = this.#sequence()
      if (item === undefined) return undefined
      items.push(item)
    } while (this.#take('|'))
    return items.length === 1 ? items[0] : { kind: 'choice', items }
  }

  #sequence(): PatternNode | undefined {
    const items: PatternNode[] = []
    while (!this.isDone && !'|)'.includes(this.#peek())) {
      const atom = this.#atom()
      const item = atom && this.#quantified(atom)
      if (item === undefined) return undefined
      items.push(item)
    }
    return { kind: 'sequence', items }
  }

  #quantified(item: PatternNode): PatternNode | undefined {
    const rest = this.#source.slice(this.#at)
    const found = /^(?:[*+?]|\{(\d{1,4})(,(\d{0,4}))?\})\??/.exec(rest)
    if (found === null) return '{'.includes(this.#peek()) && !this.isDone ? undefined : item
    this.#at += found[0].length
    if ('*+?{'.includes(this.#peek()) && !this.isDone) return undefined
    const [text] = found
    if (text.startsWith('*')) return { kind: 'repeat', item, min: 0, max: Infinity }
    if (text.startsWith('+')) return { kind: 'repeat', item, min: 1, max: Infinity }
    if (text.startsWith('?')) return { kind: 'repeat', item, min: 0, max: 1 }
    const min = Number(found[1])
    const max = found[2] === undefined ? min : found[3] === '' ? Infinity : Number(found[3])
    if (min > COUNT_MAX || (max !== Infinity && max > COUNT_MAX) || max < min) return undefined
    return { kind: 'repeat', item, min, max }
  }

  #atom(): PatternNode | undefined {
    const char = this.#peek()
    this.#at++
    switch (char) {
      case '(':
        return this.#group()
      case '[':
        return this.#class()
      case '.':
        return this.#setOf((byte) => byte !== 10 && byte !== 13)
      case '\\': {
        const bytes = this.#escape()
        return bytes && { kind: 'set', bytes: this.#folded(bytes) }
      }
      default:
        return '^$*+?{}]'.includes(char) ? undefined : this.#setOf((byte) => byte === char.charCodeAt(0))
    }
  }

  #group(): PatternNode | undefined {
    if (this.#take('?') && !this.#take(':')) return undefined
    const node = this.choice()
    return node !== undefined && this.#take(')') ? node : undefined
  }

  #class(): PatternNode | undefined {
    const negated = this.#take('^')
    const all = new Array<boolean>(128).fill(false)
    for (;;) {
      if (this.isDone) return undefined
      if (this.#take(']')) break
      const low = this.#member()
      if (low === undefined) return undefined
      const isRange = this.#peek() === '-' && this.#source[this.#at + 1] !== ']'
      if (!isRange) {
        for (let byte = 0; byte < 128; byte++) if (low.bytes[byte] === true) all[byte] = true
        continue
      }
      this.#at++
      const high = this.#member()
      if (low.code === undefined || high?.code === undefined) return undefined
      for (let byte = low.code; byte <= Math.min(high.code, 127); byte++) all[byte] = true
    }
    const folded = this.#folded(all)
    return { kind: 'set', bytes: negated ? folded.map((bit) => !bit) : folded }
  }

  /** Reads one member of a class: a character with its code, or a class by name. */
  #member(): { readonly bytes: readonly boolean[]; readonly code?: number } | undefined {
    const char = this.#peek()
    this.#at++
    if (char !== '\\') {
      const code = char.charCodeAt(0)
      return { bytes: bytesWhere((byte) => byte === code), code }
    }
    const bytes = this.#escape()
    if (bytes === undefined) return undefined
    const codes = bytes.flatMap((bit, byte) => (bit ? [byte] : []))
    return codes.length === 1 && codes[0] !== undefined ? { bytes, code: codes[0] } : { bytes }
  }

  #escape(): readonly boolean[] | undefined {
    const char = this.#peek()
    this.#at++
    const isDigit = (byte: number): boolean => byte >= 48 && byte <= 57
    const isWord = (byte: number): boolean =>
      isDigit(byte) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 95
    switch (char) {
      case 'd':
        return bytesWhere(isDigit)
      case 'D':
        return bytesWhere((byte) => !isDigit(byte))
      case 'w':
        return bytesWhere(isWord)
      case 'W':
        return bytesWhere((byte) => !isWord(byte))
      case 's':
        return bytesWhere((byte) => SPACES.includes(byte))
      case 'S':
        return bytesWhere((byte) => !SPACES.includes(byte))
      case 'x':
      case 'u':
        return this.#codeEscape(char === 'x' ? 2 : 4)
      default: {
        const control = CONTROLS[char]
        if (control !== undefined) return bytesWhere((byte) => byte === control)
        return /^[-^$\\.*+?()[\]{}|/@_#%&~,;:<>=!"'` ]$/.test(char)
          ? bytesWhere((byte) => byte === char.charCodeAt(0))
          : undefined
      }
    }
  }

  #codeEscape(digits: number): readonly boolean[] | undefined {
    const text = this.#source.slice(this.#at, this.#at + digits)
    if (text.length < digits || !/^[\da-fA-F]+$/.test(text)) return undefined
    this.#at += digits
    const code = Number.parseInt(text, 16)
    // Text beyond ASCII is not matched by bytes, and a range to it needs its code.
    return code > 127 ? undefined : bytesWhere((byte) => byte === code)
  }

  #folded(bytes: readonly boolean[]): readonly boolean[] {
    if (!this.#ignoresCase) return bytes
    return bytes.map((bit, byte) => {
      const isLetter = /[A-Za-z]/.test(String.fromCharCode(byte))
      return bit || (isLetter && bytes[byte ^ 32] === true)
    })
  }

  #setOf(accepts: (byte: number) => boolean): PatternNode {
    return { kind: 'set', bytes: this.#folded(bytesWhere(accepts)) }
  }

  #peek(): string {
    return this.#source[this.#at] ?? ''
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false
    this.#at++
    return true
  }
}

function bytesWhere(accepts: (byte: number) => boolean): readonly boolean[] {
  return Array.from({ length: 128 }, (_, byte) => accepts(byte))
}
