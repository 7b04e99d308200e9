#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addContract } from './contract.ts'
import { addDemo } from './demo/command.ts'
import { addDlq } from './dlq/dlq.ts'
import { EXIT, EXIT_HELP, exitCodeOf } from './exit-codes.ts'
import { addHealth } from './health.ts'
import { formatError } from './output.ts'
import { findPackageFile } from './package-file.ts'
import { addIngest, normalizeIngestArguments } from './ingest.ts'
import { addLoad } from './load/load.ts'
import { addRun } from './run.ts'
import { isOutputJson, ServiceOutput } from './service-output.ts'
import { addTable } from './table/table.ts'
import { addValidate } from './validate.ts'

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
  const output = isOutputJson(argv, process.stderr.isTTY) ? new ServiceOutput() : undefined
  output?.install(program)
  addRun(program, finish)
  addIngest(program, finish)
  addValidate(program, finish)
  addHealth(program, finish)
  addContract(program, finish)
  addDemo(program, finish)
  addLoad(program, finish)
  addTable(program, finish)
  addDlq(program)
  try {
    await program.parseAsync(normalizeIngestArguments(argv))
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
