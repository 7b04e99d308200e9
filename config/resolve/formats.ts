import convict from 'convict'
import type { OptionFormat } from '../option.ts'

interface OptionFormatRule {
  /** Completes the sentence "must be …" in messages and in the documentation. */
  readonly expected: string
  accepts(value: unknown): boolean
  /**
   * Parses text from the environment or from `--set`. Text that cannot be parsed is returned unchanged, so
   * that `accepts` rejects it.
   */
  read?(text: string): unknown
}

/** More threads than any machine has cores for. */
const THREADS_MAX = 256

/** Validates and parses option values, by format. Stricter than convict's own formats, which read `12abc` as 12. */
export const OPTION_FORMATS: Readonly<Record<OptionFormat, OptionFormatRule>> = {
  text: { expected: 'a non-empty text', accepts: isText },
  'text-list': {
    expected: 'a list of non-empty texts',
    accepts: (value) => Array.isArray(value) && value.every(isText),
    read: (text) => text.split(',').map((part) => part.trim()),
  },
  'whole-number': {
    expected: 'a whole number above 0',
    accepts: (value) => Number.isSafeInteger(value) && (value as number) > 0,
    read: (text) => (/^\d{1,16}$/.test(text) ? Number(text) : text),
  },
  'thread-count': {
    expected: `a whole number from 0 to ${THREADS_MAX}`,
    accepts: (value) =>
      Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= THREADS_MAX,
    read: (text) => (/^\d{1,16}$/.test(text) ? Number(text) : text),
  },
  share: {
    expected: 'a number above 0 and at most 1',
    accepts: (value) => typeof value === 'number' && value > 0 && value <= 1,
    read: (text) => (/^\d{0,3}\.?\d{1,16}$/.test(text) ? Number(text) : text),
  },
  flag: {
    expected: 'true or false',
    accepts: (value) => typeof value === 'boolean',
    read: (text) =>
      text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text,
  },
  // convict reads a dot in a key as a path, so maps are passed through it as a list of entries.
  map: {
    expected: 'an object whose values are non-empty texts',
    accepts: Array.isArray,
  },
  'transform-map': {
    expected: 'an object whose values are non-empty texts, or objects with expr and type',
    accepts: Array.isArray,
  },
  'rule-list': { expected: 'a list of objects with name, when and error', accepts: Array.isArray },
}

/** Registers the formats with convict. convict keeps them for the whole process, so a second call changes nothing. */
export function registerFormats(): void {
  for (const [name, format] of Object.entries(OPTION_FORMATS)) {
    convict.addFormat({
      name,
      validate: (value: unknown) => {
        if (!format.accepts(value)) throw new Error(`must be ${format.expected}${falsyValueText(value)}`)
      },
      coerce: (value: unknown) =>
        typeof value === 'string' && format.read !== undefined ? format.read(value) : value,
    })
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

// convict appends ": value was …" to a message, except for 0, false, null and the empty string.
function falsyValueText(value: unknown): string {
  return Boolean(value) ? '' : `: value was ${JSON.stringify(value)}`
}
