import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { loadConfig } from '../../config/load/load.ts'
import { redact } from '../../config/load/redact.ts'
import type { Config } from '../../config/types.ts'
import type { PemTexts } from '../ingest/librdkafka.ts'
import {
  INGEST_ARGUMENTS,
  INGEST_OPTIONS,
  type IngestArguments,
  type IngestOption,
  repeatListFlags,
} from '../ingest/options.ts'
import { INGEST_ENTRY, planIngest, type IngestPlan } from '../ingest/plan.ts'
import { EXIT, EXIT_HELP, exitCodeOf } from '../service/process/exit-codes.ts'
import { holdSignals } from './held-signals.ts'
import { printJson } from './output.ts'

const COMMAND = 'ingest'

/**
 * Adds the command `ingest`, a drop-in replacement for kafka-delta-ingest with the same options and
 * environment variables.
 */
export function addIngest(program: Command, finish: (exitCode: number) => void): void {
  const command = program
    .command(COMMAND)
    .description('ingest one topic into an existing table, with the options of kafka-delta-ingest')
  for (const { name, env, help } of INGEST_ARGUMENTS) command.argument(`[${name}]`, `${help} (env: ${env})`)
  for (const option of INGEST_OPTIONS) command.addOption(optionOf(option))
  command
    .addOption(listOption('--Kafka <property=value>', 'the same as -K').hideHelp())
    .addOption(
      listOption(
        '--set <key=value>',
        `set an option of kafka-delta, such as topics.${INGEST_ENTRY}.deadLetters.mode=skip; may be repeated`,
      ),
    )
    .option('--print_config', 'print the equivalent kafka-delta configuration, without secrets, and exit')
    .addHelpText(
      'after',
      `
Examples:
  kafka-delta ingest web_requests ./tests/data/web_requests -l 60 -a web_requests -t 'date: substr(meta.producer.timestamp, \`0\`, \`10\`)' -t 'meta.kafka.offset: kafka.offset'
  kafka-delta ingest orders s3://lake/orders -k broker:9093 -K security.protocol=SSL -K ssl.ca.location=ca.pem --avro https://registry:8081
  kafka-delta ingest orders s3://lake/orders -e
${EXIT_HELP}`,
    )
    .action(async (topic: string | undefined, location: string | undefined, flags: IngestArguments) => {
      const settings = [...listOf(flags['kafka_setting']), ...listOf(flags['Kafka'])]
      const given: IngestArguments = {
        ...flags,
        'soe-avro': flags['soeAvro'],
        topic,
        table_location: location,
        ...(settings.length === 0 ? {} : { kafka_setting: settings }),
      }
      const plan = planIngest(given, process.env)
      if (flags['print_config'] === true) {
        for (const note of plan.notes) process.stderr.write(`${note}\n`)
        await printJson(redact(plan.config))
        finish(EXIT.ok)
      } else finish(await ingest(plan, listOf(flags['set'])))
    })
}

/**
 * Returns the arguments with lists expanded: several values after one flag become repeated flags, as
 * kafka-delta-ingest accepts them. Other commands are returned unchanged.
 */
export function normalizeIngestArguments(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf(COMMAND)
  return at < 0 || argv.slice(2, at).some((word) => !word.startsWith('-'))
    ? argv
    : [...argv.slice(0, at), ...repeatListFlags(argv.slice(at))]
}

function optionOf({ name, short, env, kind, value, help, ...option }: IngestOption): Option {
  const flags = `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` <${value}>`}`
  const hints = [
    ...(option.default === undefined ? [] : [`default: ${option.default}`]),
    ...(env === undefined ? [] : [`env: ${env}`]),
  ]
  const text = hints.length === 0 ? help : `${help} (${hints.join(', ')})`
  return kind === 'list' ? listOption(flags, text) : new Option(flags, text)
}

function listOption(flags: string, help: string): Option {
  return new Option(flags, help).argParser((value: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    value,
  ])
}

function listOf(value: IngestArguments[string]): readonly string[] {
  return Array.isArray(value) ? (value as readonly string[]) : []
}

async function ingest(plan: IngestPlan, set: readonly string[]): Promise<number> {
  const pem = writePemFiles(plan.pem)
  try {
    const config = configOf(plan, set, pem.files)
    const deliverSignals = holdSignals()
    const { logFailure } = await import('../service/process/run.ts')
    const { runIngest } = await import('../service/process/ingest.ts')
    try {
      return await runIngest(config, INGEST_ENTRY, { ...plan, onSignalsHandled: deliverSignals })
    } catch (thrown) {
      logFailure(config, thrown)
      return exitCodeOf(thrown)
    }
  } finally {
    pem.remove()
  }
}

function configOf(plan: IngestPlan, set: readonly string[], pem: Readonly<Record<string, string>>): Config {
  const files = Object.entries(pem).map(([option, path]) => `kafka.tls.${option}=${JSON.stringify(path)}`)
  return loadConfig({ object: plan.config, env: plan.env, set: [...files, ...set], needsTopic: true })
}

const PEM_OPTIONS = { ca: 'caFile', cert: 'certFile', key: 'keyFile' } as const

/** Writes PEM texts to temporary files that only this user can read. They are deleted with the process. */
function writePemFiles(pem: PemTexts): {
  readonly files: Readonly<Record<string, string>>
  remove(): void
} {
  const texts = Object.entries(pem) as [keyof typeof PEM_OPTIONS, string][]
  if (texts.length === 0) return { files: {}, remove: () => undefined }
  const folder = mkdtempSync(join(tmpdir(), 'kafka-delta-pem-'))
  const remove = (): void => {
    process.off('exit', remove)
    rmSync(folder, { recursive: true, force: true })
  }
  // A second signal ends the process without running `finally`.
  process.on('exit', remove)
  const files: Record<string, string> = {}
  for (const [part, text] of texts) {
    const path = join(folder, `${part}.pem`)
    writeFileSync(path, text, { mode: 0o600 })
    files[PEM_OPTIONS[part]] = path
  }
  return { files, remove }
}
