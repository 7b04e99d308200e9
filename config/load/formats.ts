import convict from 'convict'
import type { FormatName } from '../option.ts'

interface Format {
  /** Completes the sentence "must be …" in messages and documentation. */
  readonly expected: string
  accepts(value: unknown): boolean
  /** Reads text of the environment or of `--set`; text that cannot be read stays text, so that `accepts` refuses it. */
  read?(text: string): unknown
}

/** What a value may look like. Stricter than convict's own formats, which read `12abc` as 12. */
export const FORMATS: Readonly<Record<FormatName, Format>> = {
  text: { expected: 'text that is not empty', accepts: isText },
  'text-list': {
    expected: 'a list of texts that are not empty',
    accepts: (value) => Array.isArray(value) && value.every(isText),
    read: (text) => text.split(',').map((part) => part.trim()),
  },
  'whole-number': {
    expected: 'a whole number above 0',
    accepts: (value) => Number.isSafeInteger(value) && (value as number) > 0,
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
  // convict takes a dot in a key for a path, so maps travel through it as a list of entries.
  map: {
    expected: 'an object whose values are texts that are not empty',
    accepts: Array.isArray,
  },
  'transform-map': {
    expected: 'an object whose values are texts that are not empty, or objects with expr and type',
    accepts: Array.isArray,
  },
  'rule-list': { expected: 'a list of objects with name, when and error', accepts: Array.isArray },
}

/** Makes the formats known to convict; it keeps them for the whole process, so a second call changes nothing. */
export function registerFormats(): void {
  for (const [name, format] of Object.entries(FORMATS)) {
    convict.addFormat({
      name,
      validate: (value: unknown) => {
        if (!format.accepts(value)) throw new Error(`must be ${format.expected}${falsy(value)}`)
      },
      coerce: (value: unknown) =>
        typeof value === 'string' && format.read !== undefined ? format.read(value) : value,
    })
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

// convict adds ": value was …" to a message, except for 0, false, null and the empty string.
function falsy(value: unknown): string {
  return Boolean(value) ? '' : `: value was ${JSON.stringify(value)}`
}
