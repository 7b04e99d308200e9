import type { OptionTree } from '../option.ts'

/** What becomes of messages without a value, and how columns are found where nobody says: options of an entry of `topics`. */
export const MESSAGE_OPTIONS = {
  tombstones: {
    doc: 'What becomes of messages without a value, and of the value `null` of JSON: they are counted and left out, become dead letters with the reason `tombstone`, or become rows that hold what their key says and nulls besides; with `row` every row has the column `_deleted`. See [contracts](contracts.md#tombstones).',
    format: ['ignore', 'deadLetter', 'row'],
    default: 'ignore',
  },
  tombstoneKey: {
    doc: 'Column that takes the key of a tombstone as text, where `tombstones` is `row`; a key that is a JSON object fills the columns of its fields in any case.',
    format: 'text',
    default: null,
    nullable: true,
  },
  inference: {
    records: {
      doc: 'How many records are looked at, where there is neither a schema nor a table, before the table is made.',
      format: 'whole-number',
      unit: 'records',
      default: 1_000,
    },
    bytes: {
      doc: 'How many bytes of records are looked at, likewise.',
      format: 'whole-number',
      unit: 'bytes',
      default: 16_777_216,
    },
    ageMs: {
      doc: 'How long after the first message more are waited for, likewise.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: 5_000,
    },
    timestamps: {
      doc: 'Whether columns of which every text is a date and time of ISO 8601 with an offset become timestamps, and those of which every text is a date become dates. Otherwise text is text.',
      format: 'flag',
      default: false,
    },
  },
} as const satisfies OptionTree
