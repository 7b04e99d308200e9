import { ExactNumber } from '../../../src/core/exact.ts'
import { decimalOf, type DataType } from '../../../src/core/schema.ts'
import { decimalText } from '../../../src/arrow/decimal.ts'
import { formatDate, formatDateTime } from '../../../src/arrow/time.ts'
import { arrayOf, mapOf, structOf } from '../flow/batches.ts'
import type { Chance } from './chance.ts'

/** Every type that a column can have, nested ones among them. */
export const EVERY_TYPE = structOf({
  boolean: 'boolean',
  byte: 'byte',
  short: 'short',
  integer: 'integer',
  long: 'long',
  float: 'float',
  double: 'double',
  small: 'decimal(5,2)',
  middle: 'decimal(18,6)',
  large: 'decimal(38,10)',
  string: 'string',
  binary: 'binary',
  date: 'date',
  timestamp: 'timestamp',
  ntz: 'timestamp_ntz',
  struct: structOf({ n: 'long', s: 'string', inner: structOf({ d: 'decimal(38,0)', t: 'timestamp' }) }),
  list: arrayOf('long'),
  lists: arrayOf(arrayOf('string')),
  map: mapOf('double'),
  deep: arrayOf(structOf({ m: mapOf(structOf({ at: 'date', tags: arrayOf('string') })), n: 'integer' })),
})

/** Rows of `EVERY_TYPE`, nulls at every level. */
export function randomRows(count: number, chance: Chance): Record<string, unknown>[] {
  return Array.from({ length: count }, () =>
    Object.fromEntries(EVERY_TYPE.fields.map(({ name, type }) => [name, randomValue(type, chance)])),
  )
}

const TEXTS = [
  '',
  'a',
  'ß',
  '日本語',
  '🙂',
  '\ud7ff',
  '\uffff',
  '\u{10ffff}',
  '\0',
  '\uFEFFmark',
  '"\\',
  ' ',
  'x'.repeat(40),
  '😀'.repeat(33),
]

/** A value of the type as `valueAt` gives it, null one time in five. */
export function randomValue(type: DataType, chance: Chance): unknown {
  if (chance.once(5)) return null
  if (typeof type !== 'string') {
    const many = <T>(make: () => T): T[] => Array.from({ length: chance.int(4) }, make)
    switch (type.type) {
      case 'struct':
        return Object.fromEntries(type.fields.map((field) => [field.name, randomValue(field.type, chance)]))
      case 'array':
        return many(() => randomValue(type.elementType, chance))
      case 'map':
        return Object.fromEntries(
          many(() => `k${chance.int(50)}`).map((key) => [key, randomValue(type.valueType, chance)]),
        )
    }
  }
  const decimal = decimalOf(type)
  if (decimal !== undefined) {
    const digits = Array.from(
      { length: chance.once(4) ? decimal.precision : 1 + chance.int(decimal.precision) },
      () => (chance.once(4) ? 9 : chance.int(10)),
    )
    return new ExactNumber(decimalText(BigInt(digits.join('')) * (chance.once(2) ? -1n : 1n), decimal.scale))
  }
  return randomPrimitive(type, chance)
}

function randomPrimitive(type: string, chance: Chance): unknown {
  const signed = (limit: number): number =>
    chance.once(6) ? chance.pick([-limit, limit - 1]) : chance.int(2 * limit) - limit
  switch (type) {
    case 'boolean':
      return chance.once(2)
    case 'byte':
      return signed(2 ** 7)
    case 'short':
      return signed(2 ** 15)
    case 'integer':
      return signed(2 ** 31)
    case 'long':
      return longValue(randomLong(chance))
    case 'float':
      return Math.fround(chance.pick([0, 1.5, -2.25, 3.4e38, -3.4e38, 1e-45, chance.int(1000) / 7]))
    case 'double':
      return chance.pick([0, 0.1, -1e308, 5e-324, Number.MAX_VALUE, 2 ** 53, chance.int(1_000_000) / 9])
    case 'string':
      return chance.once(3) ? `text ${chance.int(1000)}` : chance.pick(TEXTS)
    case 'binary':
      return Buffer.from(Array.from({ length: chance.int(6) }, () => chance.int(256))).toString('base64')
    case 'date':
      return formatDate(chance.pick([-719_162, 2_932_896, -1, 0, chance.int(60_000) - 30_000]))
    default: {
      const days = chance.pick([-719_162, 2_932_896, -1, 0, chance.int(200_000) - 100_000])
      const micros = BigInt(days) * 86_400_000_000n + BigInt(chance.int(2 ** 32)) * 20n
      return formatDateTime(micros, type === 'timestamp')
    }
  }
}

function randomLong(chance: Chance): bigint {
  const extremes = [
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 53n,
    2n ** 53n + 1n,
    -(2n ** 53n) - 1n,
    2n ** 32n,
    2n ** 31n,
    -1n,
    0n,
  ]
  if (chance.once(2)) return chance.pick(extremes)
  return BigInt.asIntN(64, (BigInt(chance.int(2 ** 32)) << 32n) | BigInt(chance.int(2 ** 32)))
}

/** A long as `valueAt` gives it. */
export function longValue(long: bigint): number | bigint {
  return Number.isSafeInteger(Number(long)) ? Number(long) : long
}
