import type { OptionTree } from '../option.ts'

/** What becomes of messages before they are rows: options of an entry of `topics`, in the order in which they act. */
export const TRANSFORM_OPTIONS = {
  rules: {
    doc: 'Rules beside the contract: `[{ "name": …, "when": …, "error": … }]`. A message for which the JMESPath expression `when` is true becomes a dead letter with the reason `rule`, its `name` and its `error`. See [transforms](transforms.md).',
    format: 'rule-list',
    default: [],
  },
  filter: {
    doc: 'JMESPath expression; messages for which it is not true are left out and counted as filtered.',
    format: 'text',
    default: null,
    nullable: true,
  },
  transforms: {
    doc: 'Fields made of the message: destination path → JMESPath expression or one of `kafka.offset`, `kafka.partition`, `kafka.topic`, `kafka.timestamp`, `kafka.timestamp_type`, `kafka.key`, `kafka.headers.NAME`; or `{ "expr": …, "type": … }`, which says the type of its column. A message for which one fails becomes a dead letter with the reason `transform`.',
    format: 'transform-map',
    default: [],
  },
  drop: {
    doc: 'Paths of fields that are left out after the transforms.',
    format: 'text-list',
    default: [],
  },
  rename: {
    doc: 'Fields that get other names, last of all: old path → new path.',
    format: 'map',
    default: [],
  },
  lookups: {
    doc: 'Reference files for the function `lookup`, read at the start: name → path of a CSV file with a header, whose first column is the key, or of a JSON object. At most 16 MiB each. Relative paths count from the folder of the configuration file.',
    format: 'map',
    default: [],
    path: true,
  },
  hashKeys: {
    doc: 'Keys for the function `hmac_sha256`, read at the start: name → path of a file, or `env:` and the name of an environment variable. Of a file one line break at the end is no part of the key.',
    format: 'map',
    default: [],
    path: true,
  },
} as const satisfies OptionTree
