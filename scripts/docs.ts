import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { OPTION_FORMATS } from '../config/resolve/formats.ts'
import { isMapFormat, optionsOf, type Option, type OptionTree } from '../config/option.ts'
import { SERVICE_OPTIONS, TOPIC_OPTIONS } from '../config/schema.ts'
import { DASHBOARD_PATH, dashboardJson } from './dashboard/dashboard.ts'
import { errorFaults, errorsPage } from './error-pages.ts'
import { statesPage } from './states-page.ts'

/**
 * Generates `docs/configuration.md` from the schema, `docs/errors.md` from the catalogue of errors,
 * `docs/states.md` from what the states of topics and of the process mean, and the Grafana dashboard from its panels, and checks `docs/troubleshooting.md` against the catalogue. With
 * `--check` it writes nothing and reports stale files.
 */
async function main(check: boolean): Promise<number> {
  const root = join(import.meta.dirname, '..')
  const faults = errorFaults(readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8'))
  for (const [name, source, make] of GENERATED) {
    const path = join(root, name)
    const wanted = await make(path)
    if (!check) writeFileSync(path, wanted)
    else if (readFileSync(path, 'utf8') !== wanted)
      faults.push(`${name} is stale: it was not generated from the current ${source}; run npm run docs`)
  }
  for (const fault of faults) console.error(fault)
  return faults.length === 0 ? 0 : 1
}

/** Generated files, their sources, and the functions that generate them. */
const GENERATED = [
  ['docs/configuration.md', 'config/schema.ts', configurationPage],
  ['docs/errors.md', 'src/core/errors.ts', errorsPage],
  ['docs/states.md', 'src/service/health', statesPage],
  [DASHBOARD_PATH, 'scripts/dashboard', dashboardJson],
] as const

/** Returns the page of all options, in the order of the schema. */
export async function configurationPage(path: string): Promise<string> {
  const text = `${INTRODUCTION}
${Object.entries(SERVICE_OPTIONS)
  .map(([name, section]) => `## \`${name}\`\n\n${tableOf({ [name]: section })}`)
  .join('\n')}
## \`topics.<name>\`

One entry for each topic, under any name. Only \`table.uri\` is required.

${tableOf(TOPIC_OPTIONS)}
${CHECKS}`
  return await format(text, { ...(await resolveConfig(path)), parser: 'markdown' })
}

function tableOf(tree: OptionTree): string {
  const rows = optionsOf(tree).map(({ key, option }) =>
    [
      `\`${key}\``,
      `${option.doc} ${valuesOf(option)}`,
      option.unit ?? '',
      defaultOf(option),
      code(option.env),
    ].join(' | '),
  )
  return ['| Key | What it does | Unit | Default | Environment |', '| --- | --- | --- | --- | --- |']
    .concat(rows.map((row) => `| ${row} |`))
    .join('\n')
    .concat('\n')
}

function valuesOf(option: Option): string {
  if (typeof option.format !== 'string')
    return `One of ${option.format.map((value) => `\`${value}\``).join(', ')}.`
  const { expected } = OPTION_FORMATS[option.format]
  const secret =
    option.sensitive === true
      ? 'Never shown.'
      : option.template === true
        ? '`{topic}` and `{name}` are replaced by the Kafka topic and the name of the entry.'
        : ''
  return option.format === 'text' ? secret : `${expected.charAt(0).toUpperCase()}${expected.slice(1)}.`
}

function defaultOf(option: Option): string {
  if (option.computed !== undefined) return option.computed.description
  if (option.required === true) return '**required**'
  if (option.default === null) return 'unset'
  return isMapFormat(option.format) ? '`{}`' : `\`${JSON.stringify(option.default)}\``
}

function code(text: string | undefined): string {
  return text === undefined ? '' : `\`${text}\``
}

const INTRODUCTION = `# Configuration

<!-- Generated from config/schema.ts by \`npm run docs\`. -->

Options come from three sources; later ones override earlier ones:

1. JSON files: \`--config base.json --config production.json\`. Objects merge key by key, everything else is replaced.
   Relative paths in a file are resolved against the folder of that file.
2. Environment variables, as named in the tables. Empty ones count as unset.
3. Assignments: \`--set key=value\` with dotted keys. The value is JSON if it parses and text otherwise; relative paths
   are resolved against the working directory.

\`null\` in a file unsets an option that has no default. The whole configuration is checked before anything starts, and all
faults are reported at once; an unknown key is reported with the nearest known one. \`kafka-delta validate\` runs these
checks alone.
`

const CHECKS = `## Checks across options

- \`creditBytes\` is at least twice \`flush.bytes\`: one flush can fill while another is written.
- \`kafka.sessionTimeoutMs\` is at least three times \`kafka.heartbeatMs\`.
- \`kafka.fetchBytesPerPartitionMax\` is at most \`kafka.fetchBytesMax\`.
- \`kafka.sasl\` has the options that its \`mechanism\` requires and no others; \`kafka.tls\` is empty unless \`kafka.ssl\` is
  true, and its \`certFile\` and \`keyFile\` are set together.
- A secret and the file that contains it are not both set.
- \`accessKeyId\` and \`secretAccessKey\` are set together in \`storage.s3\` and in \`storage.dynamodb\`; a \`sessionToken\` requires
  both.
- At most one of \`storage.azure.accountKey\`, \`sasToken\` and \`connectionString\` is set.
- An \`endpoint\` starts with \`http://\` or \`https://\`; \`storage.s3.multipartBytesMin\` is at least 5 MiB.
- \`contract\` is a file that contains a JSON object.
- \`derive\` contains valid expressions; \`table.partitionColumns\` names no column twice.
- \`deadLetters.topic\` differs from \`topic\`.
- No two entries read the same Kafka topic, because a consumer group assigns each partition to only one reader. To write the
  same topic to a second table, run another process with another \`kafka.groupId\`.
- An entry sets at most one of \`topic\`, \`topics\` and \`pattern\`; with the latter two, an \`appId\` contains \`{topic}\`.
- No two entries write to one table under the same \`appId\`.
`

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.includes('--check'))
