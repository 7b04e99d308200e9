import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { FORMATS } from '../config/load/formats.ts'
import { isMapFormat, optionsOf, type Option, type OptionTree } from '../config/option.ts'
import { SERVICE_OPTIONS, TOPIC_OPTIONS } from '../config/schema.ts'
import { DASHBOARD_PATH, dashboardJson } from './dashboard/dashboard.ts'
import { errorFaults, errorsPage } from './error-pages.ts'

/**
 * Writes `docs/configuration.md` from the schema, `docs/errors.md` from the catalogue and the dashboard of Grafana from its
 * panels, and holds `docs/troubleshooting.md` to the catalogue; `--check` writes nothing.
 */
async function main(check: boolean): Promise<number> {
  const root = join(import.meta.dirname, '..')
  const faults = errorFaults(readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8'))
  for (const [name, source, make] of MADE) {
    const path = join(root, name)
    const wanted = await make(path)
    if (!check) writeFileSync(path, wanted)
    else if (readFileSync(path, 'utf8') !== wanted)
      faults.push(`${name} is not what ${source} says; run npm run docs`)
  }
  for (const fault of faults) console.error(fault)
  return faults.length === 0 ? 0 : 1
}

/** Files, what they are made from, and how. */
const MADE = [
  ['docs/configuration.md', 'config/schema.ts', configurationPage],
  ['docs/errors.md', 'src/core/errors.ts', errorsPage],
  [DASHBOARD_PATH, 'scripts/dashboard', dashboardJson],
] as const

/** The page of all options, in the order of the schema. */
export async function configurationPage(path: string): Promise<string> {
  const text = `${INTRODUCTION}
${Object.entries(SERVICE_OPTIONS)
  .map(([name, section]) => `## \`${name}\`\n\n${tableOf({ [name]: section })}`)
  .join('\n')}
## \`topics.<name>\`

One entry for each topic, under any name. Only \`table.uri\` must be given.

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
  const { expected } = FORMATS[option.format]
  const secret =
    option.sensitive === true
      ? 'Never shown.'
      : option.template === true
        ? '`{topic}` and `{name}` in it stand for the Kafka topic and the name of the entry.'
        : ''
  return option.format === 'text' ? secret : `${expected.charAt(0).toUpperCase()}${expected.slice(1)}.`
}

function defaultOf(option: Option): string {
  if (option.computed !== undefined) return option.computed.text
  if (option.required === true) return '**must be given**'
  if (option.default === null) return 'unset'
  return isMapFormat(option.format) ? '`{}`' : `\`${JSON.stringify(option.default)}\``
}

function code(text: string | undefined): string {
  return text === undefined ? '' : `\`${text}\``
}

const INTRODUCTION = `# Configuration

<!-- Made from config/schema.ts by \`npm run docs\`. -->

Options come from three places; later ones win:

1. JSON files: \`--config base.json --config production.json\`. Objects merge key by key, everything else is replaced.
   Relative paths in a file count from the folder of that file.
2. Environment variables, as named in the tables. Empty ones count as unset.
3. Assignments: \`--set key=value\` with dotted keys. The value is JSON where it parses and text otherwise; relative paths
   count from the working directory.

\`null\` in a file unsets what has no default. Everything is checked before anything starts: an unknown key is a fault and
is answered with the nearest known one, and all faults are listed at once. \`kafka-delta validate\` does this and no more.
`

const CHECKS = `## Checked together

- \`creditBytes\` is at least twice \`flush.bytes\`: one flush can fill while another is written.
- \`kafka.sessionTimeoutMs\` is at least three times \`kafka.heartbeatMs\`.
- \`kafka.fetchBytesPerPartitionMax\` is at most \`kafka.fetchBytesMax\`.
- \`kafka.sasl\` has what its \`mechanism\` needs and nothing else; \`kafka.tls\` is empty unless \`kafka.ssl\` is true,
  and its \`certFile\` and \`keyFile\` come together.
- A secret and the file that holds it are not both given.
- \`accessKeyId\` and \`secretAccessKey\` come together in \`storage.s3\` and in \`storage.dynamodb\`; a \`sessionToken\` needs both.
- At most one of \`storage.azure.accountKey\`, \`sasToken\` and \`connectionString\` is given.
- An \`endpoint\` starts with \`http://\` or \`https://\`; \`storage.s3.multipartBytesMin\` is at least 5 MiB.
- \`contract\` is a file that holds a JSON object.
- \`derive\` holds expressions of the named kinds; \`table.partitionColumns\` names no column twice.
- \`deadLetters.topic\` is another topic than \`topic\`.
- No two entries read the same Kafka topic: one group hands a partition to only one reader. A second table from the same
  topic needs a process of its own with another \`kafka.groupId\`.
- An entry has at most one of \`topic\`, \`topics\` and \`pattern\`; with the latter two, an \`appId\` holds \`{topic}\`.
- No two entries write to one table under the same \`appId\`.
`

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.includes('--check'))
