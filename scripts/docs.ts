import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { FORMATS } from '../config/formats.ts'
import { isMapFormat, optionsOf, type Option, type OptionTree } from '../config/option.ts'
import { SERVICE_OPTIONS, TOPIC_OPTIONS } from '../config/schema.ts'
import { CATALOGUE } from '../src/core/errors.ts'
import { DASHBOARD_PATH, dashboardJson } from './dashboard/dashboard.ts'

/**
 * Writes `docs/configuration.md` from the schema and the dashboard of Grafana from its panels, and holds `docs/errors.md` to
 * the catalogue; `--check` writes nothing.
 */
async function main(check: boolean): Promise<number> {
  const docs = join(import.meta.dirname, '..', 'docs')
  const faults = errorFaults(readFileSync(join(docs, 'errors.md'), 'utf8'))
  const path = join(docs, 'configuration.md')
  const wanted = await configurationPage(path)
  if (!check) writeFileSync(path, wanted)
  else if (readFileSync(path, 'utf8') !== wanted) {
    faults.push('docs/configuration.md is not what config/schema.ts says; run npm run docs')
  }
  const dashboard = join(docs, '..', DASHBOARD_PATH)
  const panels = await dashboardJson()
  if (!check) writeFileSync(dashboard, panels)
  else if (readFileSync(dashboard, 'utf8') !== panels) {
    faults.push(`${DASHBOARD_PATH} is not what scripts/dashboard says; run npm run docs`)
  }
  for (const fault of faults) console.error(fault)
  return faults.length === 0 ? 0 : 1
}

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

/** What `docs/errors.md` lacks or has too much; every code has a heading of its own and text below it. */
export function errorFaults(page: string): string[] {
  const sections = page
    .split(/^## /m)
    .slice(1)
    .map((section) => section.replace(/\s+/g, ' '))
  const described = new Map(
    sections.map((section) => [/^`?([A-Z_]+)`?/.exec(section)?.[1] ?? section, section]),
  )
  const codes = Object.keys(CATALOGUE)
  return [
    ...codes.filter((code) => !described.has(code)).map((code) => `docs/errors.md: ${code} has no section`),
    ...[...described.keys()]
      .filter((code) => !codes.includes(code))
      .map((code) => `docs/errors.md: ${code} is no code of src/core/errors.ts`),
    ...[...described].flatMap(([code, section]) => sectionFaults(code, section)),
  ]
}

function sectionFaults(code: string, section: string): string[] {
  if (!(code in CATALOGUE)) return []
  const { message, retryable } = CATALOGUE[code as keyof typeof CATALOGUE]
  const faults: string[] = []
  if (!section.includes(message))
    faults.push(`docs/errors.md: ${code} does not repeat its message "${message}"`)
  const said = section.includes('Worth a retry')
  if (said !== retryable) {
    faults.push(`docs/errors.md: ${code} must ${retryable ? '' : 'not '}say "Worth a retry"`)
  }
  if (!/\*\*What to do\.\*\* \S/.test(section)) faults.push(`docs/errors.md: ${code} does not say what to do`)
  return faults
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
