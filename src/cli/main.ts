#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { EXIT, EXIT_HELP, exitCodeOf } from '../service/process/exit-codes.ts'
import { formatError, isOutputJson } from './output.ts'
import { findPackageFile } from './package-file.ts'
import type { ServiceOutput } from './service-output.ts'

/** Adds a command to the program; `finish` receives the exit code of a command that has one of its own. */
type AddCommand = (program: Command, finish: (exitCode: number) => void) => void

/** Loads the module of each command, in the order of `--help`: a probe or a look at a table does not wait for the service. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  run: async () => (await import('./run.ts')).addRun,
  ingest: async () => (await import('./ingest.ts')).addIngest,
  validate: async () => (await import('./validate.ts')).addValidate,
  health: async () => (await import('./health.ts')).addHealth,
  top: async () => (await import('./top/top.ts')).addTop,
  contract: async () => (await import('./contract.ts')).addContract,
  demo: async () => (await import('./demo/command.ts')).addDemo,
  load: async () => (await import('./load/load.ts')).addLoad,
  table: async () => (await import('./table/table.ts')).addTable,
  dlq: async () => (await import('./dlq/dlq.ts')).addDlq,
}

/**
 * Runs the command line and returns the exit code. An error is printed to standard error: as one block, or as lines of JSON
 * by a command that runs the service and is not used at a terminal.
 */
async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok
  const finish = (code: number): void => {
    exitCode = code
  }
  const program = new Command('kafka-delta')
    .description('Writes Kafka topics into Delta Lake tables, exactly once.')
    .version(packageVersion())
    .exitOverride()
    // Lets --version after a subcommand be the subcommand's own option.
    .enablePositionalOptions()
    .showHelpAfterError('Add --help for options and examples.')
    .addHelpText(
      'after',
      `
Examples:
  kafka-delta demo
  kafka-delta validate --config config/examples/local.json
  kafka-delta run --config config/examples/local.json
  kafka-delta table cat ./lake/user_events --limit 10
${EXIT_HELP}`,
    )
  const output = await openServiceOutput(argv, program)
  try {
    await addCommands(program, argv, finish)
    await program.parseAsync(await normalizeArguments(argv))
  } catch (error) {
    const isUsage = error instanceof CommanderError
    // Exit code 0 stands for --help and --version.
    if (isUsage && error.exitCode === 0) return EXIT.ok
    if (output !== undefined) {
      output.report(error)
      return isUsage ? EXIT.usage : exitCodeOf(error)
    }
    // commander has already printed its message.
    if (isUsage) return EXIT.usage
    process.stderr.write(formatError(error, process.env['LOG_LEVEL'] === 'debug'))
    return exitCodeOf(error)
  }
  return exitCode
}

/** Adds the command that `argv` names; all of them, for help and for suggestions, when it names none that exists. */
async function addCommands(
  program: Command,
  argv: readonly string[],
  finish: (exitCode: number) => void,
): Promise<void> {
  const [first = ''] = argv.slice(2)
  if (VERSION_FLAGS.includes(first)) return
  const load = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined
  const loads = load === undefined ? Object.values(COMMANDS) : [load]
  for (const add of await Promise.all(loads.map((each) => each()))) add(program, finish)
}

const VERSION_FLAGS: readonly string[] = ['--version', '-V']

/** Takes over what the process prints when a command runs the service and its output is read by a program. */
async function openServiceOutput(
  argv: readonly string[],
  program: Command,
): Promise<ServiceOutput | undefined> {
  if (!isOutputJson(argv, process.stderr.isTTY)) return undefined
  const { ServiceOutput } = await import('./service-output.ts')
  const output = new ServiceOutput()
  output.install(program)
  return output
}

async function normalizeArguments(argv: readonly string[]): Promise<readonly string[]> {
  return argv.includes('ingest') ? (await import('./ingest.ts')).normalizeIngestArguments(argv) : argv
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(findPackageFile('package.json'), 'utf8')) as { version: string }).version
}

// A reader that closes the pipe early, such as `head`, is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.ok)
})

const exitCode = await main(process.argv)
// Output to a pipe is asynchronous; the process must not exit before it is written.
process.stdout.write('', () => process.exit(exitCode))
