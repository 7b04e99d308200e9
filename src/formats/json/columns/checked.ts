import {
  bothOf,
  conditionalOf,
  eitherOf,
  exactlyOne,
  INVALID,
  oppositeOf,
  UNKNOWN,
  VALID,
  verdictOf,
  type Verdict,
} from '../../../contract/rules/verdict.ts'
import type { CheckedArray, CheckedObject, CheckedRules } from './checked-plan.ts'
import { isDigit, skipPlainString, skipSpace, skipValue } from './scan.ts'

/*
 * Functions that check rules on the bytes of JSON that has been read already. A text with escapes is left to the contract.
 */

const COMMA = 0x2c
/** Digits that a double always holds exactly. */
const DIGITS_MAX = 15

/** Returns true when the bytes prove that the JSON value in `bytes[start..end)` obeys the rules. */
export function provesRules(rules: CheckedRules, bytes: Uint8Array, start: number, end: number): boolean {
  return judge(rules, bytes, start, end) === VALID
}

function judge(rules: CheckedRules, bytes: Uint8Array, start: number, end: number): Verdict {
  let verdict = judgeByType(rules, bytes, start, end)
  const { allOf, anyOf, oneOf, not, condition } = rules
  for (let i = 0; i < allOf.length; i++)
    verdict = bothOf(verdict, judge(allOf[i] as CheckedRules, bytes, start, end))
  if (anyOf !== undefined) verdict = bothOf(verdict, judgeAny(anyOf, bytes, start, end))
  if (oneOf !== undefined) verdict = bothOf(verdict, judgeOne(oneOf, bytes, start, end))
  if (not !== undefined) verdict = bothOf(verdict, oppositeOf(judge(not, bytes, start, end)))
  if (condition !== undefined) {
    const { then, else: otherwise } = condition
    const holds = judge(condition.if, bytes, start, end)
    const yes = then === undefined || holds === INVALID ? VALID : judge(then, bytes, start, end)
    const no = otherwise === undefined || holds === VALID ? VALID : judge(otherwise, bytes, start, end)
    verdict = bothOf(verdict, conditionalOf(holds, yes, no))
  }
  return verdict
}

function judgeAny(anyOf: readonly CheckedRules[], bytes: Uint8Array, start: number, end: number): Verdict {
  let verdict = INVALID
  for (let i = 0; i < anyOf.length && verdict !== VALID; i++)
    verdict = eitherOf(verdict, judge(anyOf[i] as CheckedRules, bytes, start, end))
  return verdict
}

function judgeOne(oneOf: readonly CheckedRules[], bytes: Uint8Array, start: number, end: number): Verdict {
  let certain = 0
  let open = 0
  for (let i = 0; i < oneOf.length; i++) {
    const verdict = judge(oneOf[i] as CheckedRules, bytes, start, end)
    if (verdict === VALID) certain++
    else if (verdict === UNKNOWN) open++
  }
  return exactlyOne(certain, open)
}

function judgeByType(rules: CheckedRules, bytes: Uint8Array, start: number, end: number): Verdict {
  switch (bytes[start]) {
    case 0x22:
      return bothOf(rules.ofText, judgeText(rules, bytes, start, end))
    case 0x7b:
      return rules.object === undefined
        ? rules.ofObject
        : bothOf(rules.ofObject, judgeObject(rules.object, bytes, start, end))
    case 0x5b:
      return rules.array === undefined
        ? rules.ofArray
        : bothOf(rules.ofArray, judgeArray(rules.array, bytes, start))
    case 0x6e:
      return rules.ofNull
    case 0x74:
      return rules.ofTrue
    case 0x66:
      return rules.ofFalse
    default:
      return rules.number === undefined
        ? rules.ofNumber
        : bothOf(rules.ofNumber, rules.number(numberAt(bytes, start, end)))
  }
}

function judgeText({ text }: CheckedRules, bytes: Uint8Array, start: number, end: number): Verdict {
  if (text === undefined) return VALID
  return skipPlainString(bytes, start) === end ? text(bytes, start + 1, end - 1) : UNKNOWN
}

/** Returns the value of the number in `bytes[start..end)`, which is infinite beyond the range of a double. */
function numberAt(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === 0x2d
  let at = isNegative ? start + 1 : start
  let number = 0
  if (end - at <= DIGITS_MAX)
    for (let byte = bytes[at]; at < end && isDigit(byte); byte = bytes[++at])
      number = number * 10 + ((byte as number) - 0x30)
  if (at === end) return isNegative ? -number : number
  return Number(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1'))
}

function judgeArray(
  { items, sizeMin, sizeMax, isUnique }: CheckedArray,
  bytes: Uint8Array,
  start: number,
): Verdict {
  let at = skipSpace(bytes, start + 1)
  let size = 0
  let verdict = VALID
  if (bytes[at] !== 0x5d)
    for (;;) {
      const end = skipValue(bytes, at)
      if (end < 0) return UNKNOWN
      size++
      if (items !== undefined) verdict = bothOf(verdict, judge(items, bytes, at, end))
      at = skipSpace(bytes, end)
      if (bytes[at] !== COMMA) break
      at = skipSpace(bytes, at + 1)
    }
  if (isUnique && size > 1) verdict = bothOf(verdict, UNKNOWN)
  return bothOf(verdict, verdictOf(size >= sizeMin && size <= sizeMax))
}

function judgeObject(rules: CheckedObject, bytes: Uint8Array, start: number, end: number): Verdict {
  const { names, found, additional, key, isNamed } = rules
  let at = skipSpace(bytes, start + 1)
  let size = 0
  let distinct = 0
  let verdict = VALID
  found.fill(-1)
  if (bytes[at] !== 0x7d)
    for (;;) {
      const keyEnd = skipPlainString(bytes, at)
      if (keyEnd < 0) return UNKNOWN
      const value = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1)
      const index = nameAt(names, bytes, at + 1, keyEnd - 1)
      if (key !== undefined) verdict = bothOf(verdict, judge(key, bytes, at, keyEnd))
      const valueEnd = skipValue(bytes, value)
      if (valueEnd < 0) return UNKNOWN
      size++
      if (index >= 0) {
        // With a duplicate key the last value counts.
        if ((found[index] as number) >= 0) return UNKNOWN
        found[index] = value
        distinct++
      }
      if (additional !== undefined && (index < 0 || isNamed[index] !== true))
        verdict = bothOf(verdict, judgeAdditional(additional, bytes, value, valueEnd))
      at = skipSpace(bytes, valueEnd)
      if (bytes[at] !== COMMA) break
      at = skipSpace(bytes, at + 1)
    }
  if (size > rules.sizeMax) verdict = bothOf(verdict, distinct > rules.sizeMax ? INVALID : UNKNOWN)
  if (distinct < rules.sizeMin) verdict = bothOf(verdict, size < rules.sizeMin ? INVALID : UNKNOWN)
  return bothOf(verdict, judgeMembers(rules, bytes, start, end))
}

/** Another value of the same key may count instead of this one, unless every value is wrong. */
function judgeAdditional(rules: CheckedRules, bytes: Uint8Array, start: number, end: number): Verdict {
  const verdict = judge(rules, bytes, start, end)
  return verdict === VALID ? VALID : UNKNOWN
}

/** Judges the properties that `judgeObject` found. */
function judgeMembers(rules: CheckedObject, bytes: Uint8Array, start: number, end: number): Verdict {
  const { found, required, dependent, dependentRules } = rules
  let verdict = VALID
  for (let i = 0; i < required.length; i++) if ((found[required[i] as number] as number) < 0) return INVALID
  for (let i = 0; i < dependent.length; i++) {
    const { on, required: other } = dependent[i] as CheckedObject['dependent'][number]
    if ((found[on] as number) >= 0 && (found[other] as number) < 0) return INVALID
  }
  for (let i = 0; i < found.length; i++) {
    const at = found[i] as number
    const own = rules.rules[i]
    if (own !== undefined && at >= 0) verdict = bothOf(verdict, judge(own, bytes, at, skipValue(bytes, at)))
  }
  for (let i = 0; i < dependentRules.length; i++) {
    const { on, rules: own } = dependentRules[i] as CheckedObject['dependentRules'][number]
    if ((found[on] as number) >= 0) verdict = bothOf(verdict, judge(own, bytes, start, end))
  }
  return verdict
}

/** Returns the index of the name in `bytes[start..end)`, or -1. */
function nameAt(names: readonly Uint8Array[], bytes: Uint8Array, start: number, end: number): number {
  const size = end - start
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as Uint8Array
    if (name.length !== size) continue
    let at = 0
    while (at < size && name[at] === bytes[start + at]) at++
    if (at === size) return i
  }
  return -1
}
