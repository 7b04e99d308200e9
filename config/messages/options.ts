import type { OptionTree } from '../option.ts'

/** Declares the options of an entry of `topics` for messages without a value, and for inferring columns. */
export const MESSAGE_OPTIONS = {
  tombstones: {
    doc: 'What happens to messages without a value, and to the JSON value `null`: they are counted and skipped (`ignore`), become dead letters with the reason `tombstone` (`deadLetter`), or become rows with the columns of their key and nulls otherwise (`row`). With `row`, every row has the boolean column `_deleted`. See [contracts](contracts.md#tombstones).',
    format: ['ignore', 'deadLetter', 'row'],
    default: 'ignore',
  },
  /** Set only with `tombstones` `row`. */
  tombstoneKey: {
    doc: 'Column that is filled with the key of a tombstone as text, with `tombstones` `row`. If the key is a JSON object, its fields fill the columns of the same names in any case.',
    format: 'text',
    default: null,
    nullable: true,
  },
  inference: {
    records: {
      doc: 'Maximum number of records sampled to infer the columns of a new table, if neither a schema nor a table defines them. Raise the limits of `inference` if the first records do not show all fields.',
      format: 'whole-number',
      unit: 'records',
      default: 1_000,
    },
    bytes: {
      doc: 'Maximum size of the sample for inferring columns.',
      format: 'whole-number',
      unit: 'bytes',
      default: 16_777_216,
    },
    ageMs: {
      doc: 'How long to wait for further records of the sample after the first one, if neither of the other limits is reached.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: 5_000,
    },
    timestamps: {
      doc: 'Infers a timestamp column where every sampled text is an ISO 8601 date and time with an offset, and a date column where every text is a date. Otherwise text stays text.',
      format: 'flag',
      default: false,
    },
  },
} as const satisfies OptionTree
