import type { OptionTree } from '../option.ts'

/**
 * Declares the options of an entry of `topics` that filter and transform messages, in the order in which they
 * are applied.
 */
export const TRANSFORM_OPTIONS = {
  rules: {
    doc: 'Validation rules in addition to the contract: `[{ "name": …, "when": …, "error": … }]`. A message for which the JMESPath expression `when` is true becomes a dead letter with the reason `rule`, naming the rule\'s `name` and `error`. See [transforms](transforms.md).',
    format: 'rule-list',
    default: [],
  },
  /** Expression that parses. */
  filter: {
    doc: 'JMESPath expression that selects messages: those for which it is not true are skipped and counted as filtered. Unset: all messages are ingested.',
    format: 'text',
    default: null,
    nullable: true,
  },
  /** Computed fields by destination path. Their expressions parse. */
  transforms: {
    doc: 'Computed fields: destination [path](transforms.md#paths) → JMESPath expression or one of `kafka.offset`, `kafka.partition`, `kafka.topic`, `kafka.timestamp`, `kafka.timestamp_type`, `kafka.key`, `kafka.headers.NAME`; or `{ "expr": …, "type": … }` to declare the type of the column. A message for which an expression fails becomes a dead letter with the reason `transform`.',
    format: 'transform-map',
    default: [],
  },
  drop: {
    doc: '[Paths](transforms.md#paths) of fields that are removed after the transforms. A name with a dot is written in quotes: `"\\"user.email\\""`.',
    format: 'text-list',
    default: [],
  },
  /** New paths by old path. */
  rename: {
    doc: 'Renamed fields, applied last: old [path](transforms.md#paths) → new path.',
    format: 'map',
    default: [],
  },
  /** Absolute paths of existing files by name. */
  lookups: {
    doc: 'Reference files for the function `lookup`, read at the start: name → path of a CSV file with a header whose first column is the key, or of a file with a JSON object. At most 16 MiB each. Relative paths are resolved against the folder of the configuration file.',
    format: 'map',
    default: [],
    path: true,
  },
  /** Absolute path of an existing file, or `env:` and the name of an environment variable, by name. */
  hashKeys: {
    doc: 'Keys for the function `hmac_sha256`, read at the start: name → path of a file, or `env:` and the name of an environment variable. One line break at the end of a file is ignored.',
    format: 'map',
    default: [],
    path: true,
  },
  /** Absolute path of an existing file. */
  operators: {
    doc: 'File with code of your own for the rows of the topic, in JavaScript, or in TypeScript with Node 22.18, 23.6 or newer: `export default defineOperators(({ topic, log, meter }) => ({ rows, format, enrichments }))`. It runs after the contract and the transforms, and before the derived columns. Relative paths are resolved against the folder of the configuration file. See [own code](transforms.md#own-code-in-the-service).',
    format: 'text',
    default: null,
    nullable: true,
    path: true,
  },
} as const satisfies OptionTree
