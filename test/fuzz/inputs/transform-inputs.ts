import type { TransformOptions } from '../../../src/transforms/compile.ts'
import type { DataType, StructField, StructType } from '../../../src/core/schema.ts'

/** Draws random values; the same seed gives the same values. */
export class Draw {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** Returns a number in [0, 1). */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  below(count: number): number {
    return Math.floor(this.unit() * count)
  }

  chance(share: number): boolean {
    return this.unit() < share
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }
}

/** Names of the fields of most messages. */
export const NAMES = ['a', 'b', 'n', 'at', 'day', 'note']
/** Names of the fields of their objects. */
export const INNER = ['x', 'y', 'at', 'n']
/** Types that messages are read into directly. */
const READ =
  'string string string long long double double boolean timestamp date integer decimal(12,3) binary'.split(
    ' ',
  ) as DataType[]
/** Types that results are converted to. */
const WRITTEN =
  'string long integer short double float boolean date timestamp decimal(12,3) binary timestamp_ntz'.split(
    ' ',
  )

/** Describes one topic: its table, its steps and how messages become rows. */
export interface TopicCase {
  /** The fields that most messages have. */
  readonly messages: readonly StructField[]
  readonly table: StructType
  readonly contract: Readonly<Record<string, unknown>> | undefined
  readonly options: TransformOptions
  readonly policy: 'none' | 'addNewColumns' | 'rescue'
  readonly isIngest: boolean
}

const fieldOf = (name: string, type: DataType, nullable = true): StructField => ({
  name,
  type,
  nullable,
  metadata: {},
})

function messageFields(draw: Draw): StructField[] {
  const fields = NAMES.filter(() => draw.chance(0.6)).map((name) =>
    fieldOf(name, draw.of(READ), draw.chance(0.93)),
  )
  if (draw.chance(0.7)) {
    const inner = INNER.filter(() => draw.chance(0.6)).map((name) =>
      fieldOf(name, draw.of(READ), draw.chance(0.95)),
    )
    if (inner.length > 0) fields.push(fieldOf('meta', { type: 'struct', fields: inner }))
  }
  if (draw.chance(0.2))
    fields.push(fieldOf('list', { type: 'array', elementType: 'string', containsNull: true }))
  return fields
}

/** Says what an expression should give; one in ten gives something else. */
type Kind = 'text' | 'number' | 'boolean'

/** Holds the paths of messages by what their values are. */
type Paths = Readonly<Record<Kind, readonly string[]>>

const KIND_OF: Readonly<Record<string, Kind>> = {
  long: 'number',
  double: 'number',
  boolean: 'boolean',
  integer: 'number',
}

function pathsOf(fields: readonly StructField[]): Paths {
  const paths: Record<Kind, string[]> = { text: [], number: [], boolean: [] }
  for (const { name, type } of fields) {
    if (typeof type === 'string') paths[KIND_OF[type] ?? 'text'].push(name)
    else if (type.type === 'struct')
      for (const [kind, inner] of Object.entries(pathsOf(type.fields)))
        paths[kind as Kind].push(...inner.map((path) => `${name}.${path}`))
  }
  return paths
}

const TEXTS = ["''", "'x'", "'2026-03-01'", "'ß😀x'", "'5'", "'2026-03-01T00:00:00.5Z'"]
const NUMBERS = ['`0`', '`1`', '`2`', '`10`', '`-1`', '`1.5`', '`1000`', '`9007199254740993`']
const KINDS: readonly Kind[] = ['text', 'number', 'boolean']

/** Returns random expressions over the paths of messages. */
class Expressions {
  readonly #draw: Draw
  readonly #paths: Paths

  constructor(draw: Draw, paths: Paths) {
    this.#draw = draw
    this.#paths = paths
  }

  of(wanted: Kind, depth: number): string {
    const draw = this.#draw
    const kind = draw.chance(0.03) ? draw.of(KINDS) : wanted
    if (depth <= 0 || draw.chance(0.2)) return this.#leaf(kind)
    if (draw.chance(0.12)) return this.#choice(kind, depth)
    switch (kind) {
      case 'text':
        return this.#text(depth)
      case 'number':
        return this.#number(depth)
      case 'boolean':
        return this.#boolean(depth)
    }
  }

  #leaf(kind: Kind): string {
    const draw = this.#draw
    if (draw.chance(0.015)) return draw.of(['zz', 'other.x', 'meta', 'a.b', 'meta.zz', '`null`'])
    const paths = this.#paths[kind]
    const literal = draw.of(kind === 'text' ? TEXTS : kind === 'number' ? NUMBERS : ['`true`', '`false`'])
    if (paths.length === 0 || draw.chance(0.1)) return literal
    const path = draw.of(paths)
    return draw.chance(0.75) ? `not_null(${path}, ${literal})` : path
  }

  #choice(kind: Kind, depth: number): string {
    const [one, other] = [this.of(kind, depth - 1), this.of(kind, depth - 1)]
    switch (this.#draw.below(4)) {
      case 0:
        return `(${one} || ${other})`
      case 1:
        return `(${one} && ${other})`
      case 2:
        return `default(${one}, ${other})`
      default:
        return `(${this.of('boolean', depth - 1)} ? ${one} : ${other})`
    }
  }

  #text(depth: number): string {
    const draw = this.#draw
    const text = (): string => this.of('text', depth - 1)
    const number = (): string =>
      draw.chance(0.7) ? draw.of(NUMBERS.slice(0, 4)) : this.of('number', depth - 1)
    switch (draw.below(12)) {
      case 0:
      case 1:
      case 2:
        return `substr(${text()}, ${number()}, ${number()})`
      case 3:
        return `${draw.of(['epoch_seconds_to_iso8601', 'epoch_millis_to_iso8601', 'epoch_micros_to_iso8601'])}(${this.of('number', depth - 1)})`
      case 4:
        return `concat(${text()}, ${this.of(draw.of(KINDS), depth - 1)}, ${text()})`
      case 5:
        return `${draw.of(['lower', 'upper', 'trim', 'mask', 'sha256', 'md5', 'mask_email'])}(${text()})`
      case 6:
        return `${draw.of(['to_string', 'type', 'to_json'])}(${this.of(draw.of(KINDS), depth - 1)})`
      case 7:
        return `join(${draw.of(TEXTS)}, [${text()}, ${text()}])`
      case 8:
        return `kafka('${draw.of(['topic', 'key'])}')`
      case 9:
        return `parse_date(${text()}, 'yyyy-MM-dd')`
      case 10:
        return `lookup('names', ${text()})`
      default:
        return `regex_extract(${text()}, '(\\d+)', \`1\`)`
    }
  }

  #number(depth: number): string {
    const draw = this.#draw
    const number = (): string => this.of('number', depth - 1)
    switch (draw.below(6)) {
      case 0:
      case 1:
        return `(${number()} ${draw.of(['+', '-', '*', '/', '+', '-', '*', '/', '%'])} ${number()})`
      case 2:
        return `length(${this.of('text', depth - 1)})`
      case 3:
        return `${draw.of(['epoch_millis_to_micro', 'abs', 'floor', 'ceil', 'to_number'])}(${number()})`
      case 4:
        return `to_number(${this.of('text', depth - 1)})`
      default:
        return `kafka('${draw.of(['offset', 'partition', 'timestamp', 'timestamp_type'])}')`
    }
  }

  #boolean(depth: number): string {
    const draw = this.#draw
    const kind = draw.of(KINDS)
    switch (draw.below(5)) {
      case 0:
      case 1:
        return `(${this.of(kind, depth - 1)} ${draw.of(['==', '!=', '<', '<=', '>', '>='])} ${this.of(kind, depth - 1)})`
      case 2:
        return `!${this.of(kind, depth - 1)}`
      case 3:
        return `${draw.of(['starts_with', 'ends_with', 'contains'])}(${this.of('text', depth - 1)}, ${this.of('text', depth - 1)})`
      default:
        return `regex_matches(${this.of('text', depth - 1)}, '\\d')`
    }
  }
}

/** Types of columns by what their transform gives. */
const TYPES_OF: Readonly<Record<Kind, readonly string[]>> = {
  text: [
    'string',
    'string',
    'string',
    'string',
    'string',
    'string',
    'date',
    'timestamp',
    'timestamp_ntz',
    'binary',
    'decimal(12,3)',
  ],
  number: ['long', 'double', 'integer', 'short', 'float', 'timestamp', 'decimal(12,3)', 'string'],
  boolean: ['boolean'],
}
const TIMES = [
  'substr(at, `0`, `10`)',
  'epoch_millis_to_iso8601(n)',
  'epoch_seconds_to_iso8601(n)',
  'epoch_millis_to_micro(n)',
]

function transformsOf(
  draw: Draw,
  table: StructField[],
  expressions: Expressions,
): NonNullable<TransformOptions['transforms']> {
  const transforms: Record<string, string | { expr: string; type: string }> = {}
  for (let left = draw.below(4); left > 0; left--) {
    const destination = draw.of(['day', 'at', 'copy', 'n', 'meta.kafka.offset', 'meta.x', 'new.at', 'made'])
    const kind = draw.of(KINDS)
    const type = draw.chance(0.9) ? draw.of(TYPES_OF[kind]) : draw.of(WRITTEN)
    const expr = draw.chance(0.2)
      ? `kafka.${draw.of(['offset', 'partition', 'topic', 'timestamp', 'key', 'timestamp_type', 'headers.h'])}`
      : draw.chance(0.1)
        ? draw.of(TIMES)
        : expressions.of(kind, 3)
    transforms[destination] = draw.chance(0.9) ? { expr, type } : expr
    const [name = '', ...inner] = destination.split('.')
    if (draw.chance(0.3)) continue
    const index = table.findIndex((field) => field.name === name)
    if (inner.length === 0 && draw.chance(0.9)) {
      const field = fieldOf(name, type as DataType, draw.chance(0.95))
      if (index >= 0) table[index] = field
      else table.push(field)
    } else if (inner.length > 0) {
      const there = table[index]?.type
      const fields = typeof there === 'object' && there.type === 'struct' ? there.fields : []
      const wrapped = inner.reduceRight<DataType>(
        (within, part) => ({ type: 'struct', fields: [fieldOf(part, within)] }),
        type as DataType,
      ) as StructType
      const names = new Set(wrapped.fields.map((field) => field.name))
      const merged = fieldOf(name, {
        type: 'struct',
        fields: [...fields.filter((field) => !names.has(field.name)), ...wrapped.fields],
      })
      if (index >= 0) table[index] = merged
      else table.push(merged)
    }
  }
  return transforms
}

/** Returns a random topic. */
export function topicCase(draw: Draw): TopicCase {
  const messages = messageFields(draw)
  const hasContract = draw.chance(0.3)
  const contract = hasContract ? contractOf(draw) : undefined
  const expressions = new Expressions(draw, pathsOf(messages))
  const table = [...messages]
  const transforms = transformsOf(draw, table, expressions)
  const drop = draw.of(['note', 'a', 'meta', 'meta.y', 'zz', 'other.x'])
  const [from, to] = [draw.of(['b', 'b', 'zz', 'meta', 'a']), draw.of(['bb', 'note', 'zzz'])]
  const renamed = table.findIndex(({ name }) => name === from)
  const renames = draw.chance(0.25)
  if (renames && renamed >= 0 && draw.chance(0.8) && !table.some(({ name }) => name === to))
    table[renamed] = { ...(table[renamed] as StructField), name: to }
  const options: TransformOptions = {
    transforms,
    ...(draw.chance(0.3)
      ? { rules: [{ name: 'r', when: expressions.of('boolean', 2), error: 'refused' }] }
      : {}),
    ...(draw.chance(0.3) ? { filter: expressions.of('boolean', 2) } : {}),
    ...(draw.chance(0.25) ? { drop: [drop] } : {}),
    ...(renames ? { rename: { [from]: to } } : {}),
    lookups: new Map([
      [
        'names',
        new Map<string, unknown>([
          ['x', 'X'],
          ['5', 5],
          ['ß😀yz', { c: 1 }],
        ]),
      ],
    ]),
  }
  const isIngest = !hasContract && draw.chance(0.3)
  return {
    messages,
    table: { type: 'struct', fields: table },
    contract,
    options,
    policy: isIngest ? 'none' : draw.of(['none', 'addNewColumns', 'rescue']),
    isIngest,
  }
}

function contractOf(draw: Draw): Readonly<Record<string, unknown>> {
  const typed = (): object =>
    draw.of<object>([
      { type: 'string' },
      { type: ['string', 'null'] },
      { type: 'integer' },
      { type: ['number', 'null'] },
      { type: 'boolean' },
      { type: 'string', format: 'date-time' },
    ])
  const properties: Record<string, unknown> = {}
  for (const name of NAMES) if (draw.chance(0.6)) properties[name] = typed()
  if (draw.chance(0.6)) {
    const inner: Record<string, unknown> = {}
    for (const name of INNER) if (draw.chance(0.7)) inner[name] = typed()
    properties['meta'] = {
      type: draw.of(['object', ['object', 'null']]),
      properties: { x: typed(), ...inner },
    }
  }
  return {
    type: 'object',
    properties: { a: typed(), ...properties },
    ...(draw.chance(0.2) ? { additionalProperties: false } : {}),
  }
}
