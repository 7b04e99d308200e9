import fc from 'fast-check'

/** Describes a type that Avro, Protobuf and JSON Schema all have. */
export type Shape =
  | { readonly kind: Scalar }
  /** An enumeration of that many symbols. */
  | { readonly kind: 'enum'; readonly symbols: number }
  | { readonly kind: 'list' | 'map'; readonly of: Shape }
  | { readonly kind: 'record'; readonly fields: readonly Field[] }

/** Names a type without parts. Protobuf writes decimals as unsigned numbers and dates as text. */
export type Scalar =
  'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes' | 'timestamp' | 'decimal' | 'date'

/** Describes a field of a record. */
export interface Field {
  readonly name: string
  /** Number of the field in Protobuf. */
  readonly number: number
  readonly shape: Shape
  /** Without null in Avro, listed as required in JSON Schema. */
  readonly required: boolean
}

/** Describes a record. */
export type RecordShape = Extract<Shape, { readonly kind: 'record' }>

/** A record type in two versions, of which the newer can read what was written with the older. */
export interface Versions {
  readonly older: RecordShape
  readonly newer: RecordShape
  /** The newer version and the fields that it dropped. */
  readonly union: RecordShape
}

/** Changes that a newer version makes to a field. Only those that Delta's type widening has become wider. */
type Change = 'kept' | 'dropped' | 'wider' | 'optional'

const scalar = fc.constantFrom<Scalar>(
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'string',
  'bytes',
  'timestamp',
  'decimal',
  'date',
)
const leaf: fc.Arbitrary<Shape> = fc.oneof(
  { arbitrary: scalar.map((kind) => ({ kind })), weight: 6 },
  {
    arbitrary: fc.integer({ min: 1, max: 3 }).map((symbols) => ({ kind: 'enum' as const, symbols })),
    weight: 1,
  },
)
const container = fc.constantFrom('list' as const, 'map' as const)
const change = fc.constantFrom<Change>('kept', 'kept', 'dropped', 'wider', 'wider', 'optional')

interface Drawn {
  readonly older: Shape | undefined
  readonly newer: Shape | undefined
  readonly union: Shape
}

/** A shape and what a newer version makes of it; one of both is missing for a field that is dropped or added. */
const { record } = fc.letrec<{ drawn: Drawn; record: Versions }>((tie) => ({
  drawn: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'versions' },
    fc.tuple(leaf, change).map(([shape, how]) => drawnOf(shape, changed(shape, how))),
    fc.tuple(leaf, change, container).map(([of, how, kind]) => {
      const inner = changed(of, how)
      return drawnOf({ kind, of }, inner && { kind, of: inner })
    }),
    fc
      .tuple(tie('record'), fc.boolean())
      .map(([versions, isDropped]) => (isDropped ? drawnOf(versions.older, undefined) : versions)),
    fc.tuple(tie('record'), container).map(([{ older, newer, union }, kind]) => ({
      older: { kind, of: older },
      newer: { kind, of: newer },
      union: { kind, of: union },
    })),
    leaf.map((shape) => drawnOf(undefined, shape)),
    tie('record').map(({ newer }) => drawnOf(undefined, newer)),
  ),
  record: fc
    .tuple(
      fc.array(fc.tuple(tie('drawn'), fc.boolean(), change), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
    )
    .map(([members, turned]) => versionsOf(members, turned)),
}))

/** Two compatible versions of a record. */
export const compatibleVersions: fc.Arbitrary<Versions> = record

function drawnOf(older: Shape | undefined, newer: Shape | undefined): Drawn {
  const union = newer ?? older
  if (union === undefined) throw new Error('A field is in one of the versions')
  return { older, newer, union }
}

/** Makes a wider type where there is one; `undefined` for a type that is dropped. */
function changed(shape: Shape, how: Change): Shape | undefined {
  if (how === 'dropped') return undefined
  if (how !== 'wider') return shape
  if (shape.kind === 'int') return { kind: 'long' }
  if (shape.kind === 'float') return { kind: 'double' }
  return shape.kind === 'enum' ? { kind: 'enum', symbols: shape.symbols + 2 } : shape
}

function versionsOf(members: readonly (readonly [Drawn, boolean, Change])[], turned: boolean): Versions {
  const older: Field[] = []
  const newer: Field[] = []
  const union: Field[] = []
  for (const [index, [drawnShape, required, how]] of members.entries()) {
    const field = { name: `f${index}`, number: index + 2 }
    union.push({ ...field, shape: drawnShape.union, required: false })
    if (drawnShape.older !== undefined) older.push({ ...field, shape: drawnShape.older, required })
    if (drawnShape.newer !== undefined) {
      // An added field has a default, and one that was optional stays so.
      const remains = required && how !== 'optional' && drawnShape.older !== undefined
      newer.push({ ...field, shape: drawnShape.newer, required: remains })
    }
  }
  // Each version has a field, since a record without any can be no column.
  const common: Field = { name: 'id', number: 1, shape: { kind: 'int' }, required: true }
  if (turned) newer.reverse()
  return {
    older: { kind: 'record', fields: [common, ...older] },
    newer: { kind: 'record', fields: turned ? [...newer, common] : [common, ...newer] },
    union: { kind: 'record', fields: [common, ...union] },
  }
}

/**
 * Holds a value that each format encodes in its own way; `null` is an absent one. Timestamps are seconds, dates days since
 * 1970, decimals hundredths.
 */
export type Neutral =
  null | boolean | number | string | Uint8Array | readonly Neutral[] | { readonly [name: string]: Neutral }

/** Returns a value of a shape. The same `seed` gives the same value. */
export function valueOf(shape: Shape, seed: number): Neutral {
  switch (shape.kind) {
    case 'boolean':
      return seed % 2 === 0
    case 'int':
      return (seed % 2 === 0 ? 1 : -1) * seed
    case 'long':
      return seed * 8_589_934_592 + 1
    case 'float':
      return seed + 0.5
    case 'double':
      return seed / 3
    case 'string':
      return `text ${seed}`
    case 'bytes':
      return Buffer.from(`bytes ${seed}`)
    case 'timestamp':
      return 1_700_000_000 + seed
    case 'decimal':
      return seed * 100 + 25
    case 'date':
      return 20_000 + (seed % 10_000)
    case 'enum':
      return symbolOf(seed % shape.symbols)
    case 'list':
      return Array.from({ length: seed % 3 }, (_, index) => valueOf(shape.of, seed + index))
    case 'map':
      return Object.fromEntries(
        Array.from({ length: seed % 3 }, (_, index) => [`key${index}`, valueOf(shape.of, seed + index)]),
      )
    case 'record':
      return Object.fromEntries(
        shape.fields.map((field, index) => [
          field.name,
          !field.required && (seed + index) % 3 === 0 ? null : valueOf(field.shape, seed * 7 + index),
        ]),
      )
  }
}

/** Returns the symbol of an enumeration at an index. */
export function symbolOf(index: number | ''): string {
  return `SYMBOL_${index}`
}
