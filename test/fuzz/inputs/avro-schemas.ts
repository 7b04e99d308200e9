// Generates Avro schemas, and later forms of them.
import type { Chance } from '../../support/values/chance.ts'

type Json = Readonly<Record<string, unknown>>

const NAMES = ['a', 'b', 'c', 'd', 'id', 'Name', 'value_1', 'member0', '__proto__', 'A']
const SCALARS = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
  'string',
  'long',
  { type: 'int', logicalType: 'date' },
  { type: 'int', logicalType: 'time-millis' },
  { type: 'long', logicalType: 'timestamp-millis' },
  { type: 'long', logicalType: 'timestamp-micros' },
  { type: 'long', logicalType: 'timestamp-nanos' },
  { type: 'long', logicalType: 'local-timestamp-millis' },
  { type: 'long', logicalType: 'local-timestamp-micros' },
  { type: 'string', logicalType: 'uuid' },
  { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 },
  { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 10 },
  { type: 'bytes', logicalType: 'decimal', precision: 18 },
] as const

/** Generates schemas whose named types have fresh names. */
export class SchemaGenerator {
  readonly #chance: Chance
  #names = 0

  constructor(chance: Chance) {
    this.#chance = chance
  }

  /** Returns a record schema, nested up to `depth` levels. */
  record(depth: number): Json {
    const fields: Json[] = []
    const used = new Set<string>()
    for (let count = 1 + this.#chance.int(6); count > 0; count--) {
      const name = this.#chance.pick(NAMES)
      if (used.has(name)) continue
      used.add(name)
      fields.push({ name, type: this.type(depth - 1) })
    }
    return { type: 'record', name: this.#fresh('R'), fields }
  }

  type(depth: number): unknown {
    const int = (below: number): number => this.#chance.int(below)
    const nested = depth > 0 ? 8 : 4
    switch (int(nested + 10)) {
      case 0:
        return this.#union([this.#named(this.#scalar())])
      case 1:
        return this.#union([this.#scalar(), this.#scalar()])
      case 2:
        return { type: 'enum', name: this.#fresh('E'), symbols: ['A', 'B_1', 'c'].slice(0, 1 + int(3)) }
      case 3:
        return this.#fixed()
      case 4:
        return { type: 'array', items: this.type(depth - 1) }
      case 5:
        return { type: 'map', values: this.type(depth - 1) }
      case 6:
        return this.record(depth)
      case 7:
        return this.#union([this.record(depth)])
      case 8:
        return int(4) === 0 ? this.#oddity() : this.#scalar()
      default:
        return int(2) === 0 ? this.#union([this.#scalar()]) : this.#scalar()
    }
  }

  /** Returns a schema that reads records of another: fields in another order, dropped, renamed, added, wider. */
  evolved(schema: Json): Json {
    const chance = this.#chance
    const fields = (schema['fields'] as readonly Json[]).flatMap((field): Json[] => {
      const name = field['name'] as string
      if (chance.once(8)) return []
      if (chance.once(8)) return [{ name: `new_${name}`, aliases: [name], type: field['type'] }]
      return [{ ...field, type: this.#evolvedType(field['type']) }]
    })
    if (chance.once(3)) fields.push(chance.pick(DEFAULTS(this.#fresh('added'))))
    if (chance.once(2)) fields.reverse()
    return { ...schema, fields: fields.length === 0 ? schema['fields'] : fields }
  }

  #evolvedType(type: unknown): unknown {
    const chance = this.#chance
    if (chance.once(3)) {
      if (type === 'int') return chance.pick(['long', 'float', 'double'])
      if (type === 'long') return chance.pick(['float', 'double'])
      if (type === 'float') return 'double'
      if (type === 'string') return 'bytes'
      if (type === 'bytes') return 'string'
    }
    if (Array.isArray(type)) {
      if (chance.once(3)) return [...(type as unknown[])].reverse()
      return chance.once(4) ? (type as unknown[]).find((each) => each !== 'null') : type
    }
    if (typeof type === 'object' && type !== null) {
      const json = type as Json
      if (json['type'] === 'record') return this.evolved(json)
      if (json['type'] === 'array') return { ...json, items: this.#evolvedType(json['items']) }
      if (json['type'] === 'enum' && chance.once(3)) return { ...json, symbols: ['c', 'A'], default: 'c' }
      if (json['logicalType'] === 'timestamp-millis' && chance.once(3))
        return { ...json, logicalType: 'timestamp-micros' }
    }
    return chance.once(6) && !Array.isArray(type) ? ['null', type] : type
  }

  #scalar(): unknown {
    return this.#chance.pick(SCALARS)
  }

  #named(type: unknown): unknown {
    return this.#chance.once(3) ? this.#fixed() : type
  }

  #fixed(): Json {
    const int = (below: number): number => this.#chance.int(below)
    const name = this.#fresh('F')
    switch (int(4)) {
      case 0:
        return { type: 'fixed', name, size: 16, logicalType: 'uuid' }
      case 1:
        return { type: 'fixed', name, size: 12, logicalType: 'duration' }
      case 2:
        return { type: 'fixed', name, size: 1 + int(18), logicalType: 'decimal', precision: 12, scale: 3 }
      default:
        return { type: 'fixed', name, size: int(20) }
    }
  }

  #union(members: readonly unknown[]): unknown {
    const kinds = members.map((each) =>
      typeof each === 'string' ? each : ((each as Json)['name'] ?? (each as Json)['type']),
    )
    const distinct = members.filter((_, i) => kinds.indexOf(kinds[i]) === i)
    if (this.#chance.once(5)) return distinct
    return this.#chance.once(2) ? ['null', ...distinct] : [...distinct, 'null']
  }

  #oddity(): unknown {
    const name = this.#fresh('O')
    return this.#chance.pick<unknown>([
      'null',
      ['null'],
      { type: 'array', items: 'null' },
      { type: 'record', name, fields: [] },
      ['null', { type: 'record', name, fields: [{ name: 'n', type: 'null' }] }],
      {
        type: 'record',
        name,
        fields: [
          { name: 'next', type: ['null', name] },
          { name: 'v', type: 'int' },
        ],
      },
    ])
  }

  #fresh(prefix: string): string {
    return `${prefix}${this.#names++}`
  }
}

const DEFAULTS = (name: string): readonly Json[] => [
  { name, type: 'string', default: 'é' },
  { name, type: 'int', default: -7 },
  { name, type: ['null', 'long'], default: null },
  { name, type: ['long', 'null'], default: 12 },
  { name, type: 'double', default: 0.5 },
  { name, type: 'boolean', default: true },
  { name, type: { type: 'array', items: 'int' }, default: [] },
  { name, type: { type: 'array', items: 'int' }, default: [1] },
  { name, type: { type: 'map', values: 'int' }, default: {} },
  { name, type: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 }, default: '\u0004\u00d2' },
  { name, type: { type: 'long', logicalType: 'timestamp-millis' }, default: 1_700_000_000_000 },
  { name, type: ['string', 'int'], default: 'x' },
  {
    name,
    type: { type: 'record', name: `T${name}`, fields: [{ name: 'x', type: 'int', default: 1 }] },
    default: {},
  },
]
