import type { ExpressionFunction } from '../jmespath/function-table.ts'
import { narrowInteger } from '../core/exact.ts'
import { truncateToInteger, type AnyNumber } from '../jmespath/numbers.ts'
import { dateParserFor } from './date-pattern.ts'
import { toIsoText } from './iso.ts'

/** 0000-01-01 and 9999-12-31T23:59:59.999999Z. Times beyond have no text that readers can parse. */
const MICROS_MIN = -62_167_219_200_000_000n
const MICROS_MAX = 253_402_300_799_999_999n

/** Fractions of the unit are cut off, as in kafka-delta-ingest. */
function epochToIso(name: string, microsPerUnit: bigint): ExpressionFunction {
  return ([value]) => {
    const whole = truncateToInteger(value as AnyNumber)
    const micros = whole === undefined ? undefined : whole * microsPerUnit
    if (micros === undefined || micros < MICROS_MIN || micros > MICROS_MAX)
      throw new Error(`${name}() expected a time within the years 0 to 9999, got ${String(whole)}`)
    return toIsoText(micros)
  }
}

function millisToMicro([value]: readonly unknown[]): number | bigint {
  const whole = truncateToInteger(value as AnyNumber)
  if (whole === undefined) throw new Error('epoch_millis_to_micro() expected a finite number')
  return narrowInteger(whole * 1000n)
}

/** Maps the names of time functions to their implementations. */
export const JMESPATH_TIME_FUNCTIONS: Readonly<Record<string, ExpressionFunction>> = {
  epoch_seconds_to_iso8601: epochToIso('epoch_seconds_to_iso8601', 1_000_000n),
  epoch_millis_to_iso8601: epochToIso('epoch_millis_to_iso8601', 1000n),
  epoch_micros_to_iso8601: epochToIso('epoch_micros_to_iso8601', 1n),
  epoch_millis_to_micro: millisToMicro,
  parse_date: ([text, pattern, zone = 'UTC']) =>
    dateParserFor(pattern as string, zone as string).parse(text as string),
}
