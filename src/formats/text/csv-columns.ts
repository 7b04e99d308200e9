import { isUtf8 } from 'node:buffer'
import { StructBuilder } from '../../arrow/builder.ts'
import { DroppedPaths } from '../../arrow/rows.ts'
import { ensureCapacity } from '../../arrow/validity.ts'
import { valueOf, type Raw } from '../../core/raw.ts'
import type { FormatOptions, ObjectReason, SlowReason } from '../format.ts'
import type { FinishedRows, RecordColumns } from '../record-columns.ts'
import { RowCollector, UNPROVEN_RULES } from '../row-collector.ts'
import type { CsvSettings } from '../settings.ts'
import { afterBom } from '../json/json-input.ts'
import { appendBoolean, appendDate, appendTimestamp } from './csv-fields.ts'
import { csvHeaderNames, csvLineParser } from './csv-lines.ts'
import { csvLinePlan, type CsvFieldPlan, type CsvLinePlan, type NoCsvPlan } from './csv-plan.ts'
import { appendDecimal, appendDouble, appendInteger } from './digits.ts'

const NEWLINE = 0x0a
const RETURN = 0x0d
const DOUBLE_QUOTE = 0x22
/** Plans of different headers that are kept at once. */
const HEADERS_MAX = 100

/** Classes of bytes while the end of an unquoted field is searched. */
const ORDINARY = 0
const DELIMITER = 1
/** Quotes and ends of lines, which only a parser of whole values interprets. */
const SPECIAL = 2

/** Holds what the header of a value was, and how lines after it are read. */
interface Header {
  /** The bytes of the line, with its end. */
  readonly bytes: Uint8Array
  readonly endsWithReturn: boolean
  readonly plan: CsvLinePlan | NoCsvPlan
}

/** Decodes lines of CSV directly into one set of columns. */
export class CsvColumnReader implements RecordColumns {
  readonly #options: FormatOptions
  readonly #settings: CsvSettings
  readonly #builder: StructBuilder
  readonly #classes: Uint8Array | undefined
  readonly #quote: number
  readonly #nullWords: readonly Uint8Array[]
  readonly #droppedPaths: DroppedPaths
  readonly #headers = new Map<string, Header | undefined>()
  readonly #headerless: CsvLinePlan | NoCsvPlan | undefined
  #header: Header | undefined
  #of: Uint8Array | undefined
  #view: DataView = new DataView(new ArrayBuffer(0))
  #isAllUtf8 = false
  readonly #rows: RowCollector
  /** Fields left out of the present record, and which of them they are. */
  #pending = 0
  #droppedIn = new Uint8Array(16)
  /** True when a column of the present record gets its default. */
  #hasAbsent = false
  /** Why the present record is none of columns, if it is none. */
  #slow: SlowReason = 'value'
  /** Text of a quoted field without the doubling of its quotes. */
  #unquoted = new Uint8Array(256)

  constructor(options: FormatOptions, settings: CsvSettings) {
    this.#options = options
    this.#settings = settings
    this.#builder = new StructBuilder(options.schema, options.absentValues)
    this.#rows = new RowCollector(this.#builder, options)
    this.#classes = classesOf(settings)
    this.#quote = settings.quote === 'none' ? -1 : settings.quote.charCodeAt(0)
    this.#nullWords = settings.nullWords.map((word) => Buffer.from(word))
    this.#droppedPaths = new DroppedPaths(options.schema)
    if (!settings.header)
      this.#headerless = this.#planOf(settings.columns ?? options.schema.fields.map(({ name }) => name))
  }

  read(raw: Raw, i: number): SlowReason | undefined {
    if (this.#classes === undefined) return 'path'
    if (this.#rows.isRefusing) return 'contract'
    if (this.#of !== raw.bytes) this.#use(raw.bytes)
    if (!this.#isAllUtf8 && !isUtf8(valueOf(raw, i) as Uint8Array)) return 'value'
    const end = raw.valueEnd[i] as number
    let at = afterBom(raw.bytes, raw.valueStart[i] as number, end)
    let plan = this.#headerless
    let endsWithReturn: boolean | undefined
    if (plan === undefined) {
      const header = this.#headerAt(raw.bytes, at, end)
      if (header === undefined) return 'value'
      plan = header.plan
      endsWithReturn = header.endsWithReturn
      at += header.bytes.length
    }
    if ('slow' in plan) return plan.slow
    const stop = endOfLine(raw.bytes, at, end, endsWithReturn)
    return this.#readLine(plan, raw, at, stop, i)
  }

  finish(): FinishedRows {
    // The reader may be idle for long: it holds no batch.
    this.#of = undefined
    this.#view = new DataView(new ArrayBuffer(0))
    return this.#rows.finish(this.#droppedPaths)
  }

  /** Returns why lines need objects, as far as the names of their fields are known; empty if they do not. */
  reasons(): readonly ObjectReason[] {
    if (this.#classes === undefined)
      return [{ subject: 'csv', reason: 'a delimiter or quote outside ASCII needs a parser of whole lines' }]
    if (this.#rows.isRefusing) return [UNPROVEN_RULES]
    const plans = [this.#headerless, ...[...this.#headers.values()].map((header) => header?.plan)]
    const nested = this.#builder.fields.filter((_, i) => typeof this.#builder.children[i]?.type !== 'string')
    return [
      ...plans.flatMap((plan) => (plan !== undefined && 'slow' in plan ? [plan.reason] : [])),
      ...nested.map(({ name }) => ({ subject: `columns.${name}`, reason: 'JSON in a field is parsed' })),
    ]
  }

  #planOf(names: readonly string[]): CsvLinePlan | NoCsvPlan {
    return csvLinePlan(names, this.#builder, this.#options)
  }

  #use(bytes: Uint8Array): void {
    this.#of = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    // Newlines between values prevent two halves of a character from joining.
    this.#isAllUtf8 = isUtf8(bytes)
  }

  /** Returns the header at `at`, which mostly is that of the value before. */
  #headerAt(bytes: Uint8Array, at: number, end: number): Header | undefined {
    const last = this.#header
    if (last !== undefined && startsWith(bytes, at, end, last.bytes)) return last
    const newline = bytes.indexOf(NEWLINE, at)
    if (newline < 0 || newline >= end) return undefined
    const line = Buffer.from(bytes.subarray(at, newline + 1))
    const key = line.toString('latin1')
    if (this.#headers.size >= HEADERS_MAX) this.#headers.clear()
    const header = this.#headers.has(key) ? this.#headers.get(key) : this.#parseHeader(line)
    this.#headers.set(key, header)
    this.#header = header
    return header
  }

  #parseHeader(line: Buffer): Header | undefined {
    const endsWithReturn = line.at(-2) === RETURN
    const content = line.subarray(0, endsWithReturn ? -2 : -1)
    // Elsewhere it would end a line.
    if (content.includes(RETURN)) return undefined
    try {
      const lines = csvLineParser(this.#settings)(content)
      const [names] = lines
      if (names === undefined || lines.length !== 1) return undefined
      return { bytes: line, endsWithReturn, plan: this.#planOf(csvHeaderNames(names)) }
    } catch {
      // The slow way says what is wrong with it.
      return undefined
    }
  }

  #readLine(plan: CsvLinePlan, raw: Raw, at: number, end: number, i: number): SlowReason | undefined {
    const { length } = this.#builder
    if (this.#pending > 0) this.#droppedIn.fill(0)
    this.#pending = 0
    this.#hasAbsent = false
    this.#slow = 'value'
    // An empty line is none.
    const isRow = at < end && this.#readFields(plan.fields, raw.bytes, at, end) && this.#endRow(plan)
    if (!isRow) {
      this.#builder.truncate(length)
      return this.#slow
    }
    this.#rows.add(i, this.#pending)
    if (this.#pending > 0) this.#nameDropped(plan.fields)
    return undefined
  }

  /** Appends the fields between `at` and `end`. Returns false when a parser of whole values must read them. */
  #readFields(fields: readonly CsvFieldPlan[], bytes: Uint8Array, at: number, end: number): boolean {
    const classes = this.#classes as Uint8Array
    const last = fields.length - 1
    for (let f = 0; f <= last; f++) {
      const plan = fields[f] as CsvFieldPlan
      if (at < end && bytes[at] === this.#quote) at = this.#readQuoted(plan, f, bytes, at + 1, end)
      else {
        const start = at
        while (at < end && classes[bytes[at] as number] === ORDINARY) at++
        const isAppended = this.#isNull(bytes, start, at)
          ? this.#appendNull(plan)
          : this.#append(plan, f, bytes, start, at)
        if (!isAppended) return false
      }
      if (at < 0) return false
      if (f === last) return at === end
      if (at === end || classes[bytes[at] as number] !== DELIMITER) return false
      at++
    }
    return false
  }

  /** Appends the quoted field that begins before `at`. Returns the position after its closing quote, or -1. */
  #readQuoted(plan: CsvFieldPlan, f: number, bytes: Uint8Array, at: number, end: number): number {
    const quote = this.#quote
    const start = at
    let doubled = 0
    for (; ; at++) {
      if (at === end) return -1
      const byte = bytes[at]
      if (byte === NEWLINE || byte === RETURN) return -1
      if (byte === quote) {
        if (at + 1 === end || bytes[at + 1] !== quote) break
        doubled++
        at++
      } else if (byte === DOUBLE_QUOTE) return -1
    }
    // Quotes are escaped by the double quote, whatever the quote is.
    if (doubled > 0 && quote !== DOUBLE_QUOTE) return -1
    const isAppended =
      doubled > 0 ? this.#appendUnquoted(plan, bytes, start, at) : this.#append(plan, f, bytes, start, at)
    return isAppended ? at + 1 : -1
  }

  /** Appends text whose quotes are doubled. */
  #appendUnquoted(plan: CsvFieldPlan, bytes: Uint8Array, start: number, end: number): boolean {
    if (plan.kind !== 'text' && plan.kind !== 'binary') return false
    if (this.#unquoted.length < end - start) this.#unquoted = new Uint8Array(2 * (end - start))
    let length = 0
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number
      this.#unquoted[length++] = byte
      if (byte === DOUBLE_QUOTE) at++
    }
    plan.builder.appendBytes(this.#unquoted, 0, length)
    return true
  }

  #isNull(bytes: Uint8Array, start: number, end: number): boolean {
    if (start === end) return true
    for (const word of this.#nullWords)
      if (word.length === end - start && startsWith(bytes, start, end, word)) return true
    return false
  }

  #appendNull({ onNull, builder }: CsvFieldPlan): boolean {
    if (onNull === 'null') builder?.appendNull()
    else if (builder !== undefined) this.#hasAbsent = true
    return onNull !== 'refused'
  }

  #append(plan: CsvFieldPlan, f: number, bytes: Uint8Array, start: number, end: number): boolean {
    switch (plan.kind) {
      case 'text':
      case 'binary':
        plan.builder.appendRange(this.#view, start, end)
        return true
      case 'integer':
        return appendInteger(plan.builder, plan.rules, bytes, start, end)
      case 'double':
        return appendDouble(plan.builder, bytes, start, end)
      case 'decimal':
        return appendDecimal(plan.builder, plan.rules, bytes, start, end)
      case 'timestamp':
      case 'timestamp_ntz':
        return appendTimestamp(plan.builder, plan.kind === 'timestamp', bytes, start, end)
      case 'date':
        return appendDate(plan.builder, bytes, start, end)
      case 'boolean':
        return appendBoolean(plan.builder, bytes, start, end)
      case 'dropped':
        if (plan.rules === undefined) return true
        if (f >= this.#droppedIn.length) this.#droppedIn = ensureCapacity(this.#droppedIn, f + 1)
        this.#droppedIn[f] = 1
        this.#pending++
        return true
      case 'unknown':
        this.#slow = 'field'
        return false
      case 'nested':
        return false
    }
  }

  /** Keeps the names of the fields that were left out of the row. */
  #nameDropped(fields: readonly CsvFieldPlan[]): void {
    for (let f = 0; f < fields.length; f++) {
      const plan = fields[f] as CsvFieldPlan
      if (plan.kind !== 'dropped' || plan.rules === undefined || this.#droppedIn[f] !== 1) continue
      this.#droppedPaths.add(plan.rules)
    }
  }

  #endRow({ isComplete }: CsvLinePlan): boolean {
    // Columns without a field, and those whose null counts as missing, get their default.
    if (!isComplete || this.#hasAbsent) return this.#builder.endRow()
    this.#builder.endCompleteRow()
    return true
  }
}

/** Returns the class of each byte, or `undefined` when the delimiter or the quote is no byte, or both are the same. */
function classesOf({ delimiter, quote }: CsvSettings): Uint8Array | undefined {
  const separator = delimiter === 'tab' ? '\t' : delimiter
  const marks = quote === 'none' ? [separator] : [separator, quote]
  if (marks.some((mark) => mark.length !== 1 || mark > '\x7f' || mark === '\n' || mark === '\r'))
    return undefined
  if (separator === quote || separator === '"') return undefined
  const classes = new Uint8Array(256)
  for (const byte of [NEWLINE, RETURN, DOUBLE_QUOTE]) classes[byte] = SPECIAL
  if (quote !== 'none') classes[quote.charCodeAt(0)] = SPECIAL
  classes[separator.charCodeAt(0)] = DELIMITER
  return classes
}

function startsWith(bytes: Uint8Array, at: number, end: number, prefix: Uint8Array): boolean {
  if (prefix.length > end - at) return false
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false
  return true
}

/** Returns where a line ends that may have an end of its own: the one of the header, or any if there is none. */
function endOfLine(bytes: Uint8Array, at: number, end: number, withReturn: boolean | undefined): number {
  if (end === at || bytes[end - 1] !== NEWLINE) return end
  const hasReturn = end - at > 1 && bytes[end - 2] === RETURN
  if (withReturn === undefined) return hasReturn ? end - 2 : end - 1
  return withReturn ? (hasReturn ? end - 2 : end) : end - 1
}
