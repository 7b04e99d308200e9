#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addContract } from './contract.ts'
import { addDemo } from './demo/command.ts'
import { addDlq } from './dlq/dlq.ts'
import { EXIT, EXIT_HELP, exitCodeOf } from './exit-codes.ts'
import { addHealth } from './health.ts'
import { errorBlock } from './output.ts'
import { packageFile } from './package-file.ts'
import { addIngest, ingestWords } from './ingest.ts'
import { addLoad } from './load/load.ts'
import { addRun } from './run.ts'
import { addTable } from './table/table.ts'
import { addValidate } from './validate.ts'

/** Carries out the command line and returns the exit code; errors stand on stderr in one block. */
async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok
  const finish = (code: number): void => {
    exitCode = code
  }
  const program = new Command('kafka-delta')
    .description('Carries Kafka topics into Delta Lake tables, exactly once.')
    .version(versionOf())
    .exitOverride()
    // So that --version after a subcommand is the subcommand's own.
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
    await program.parseAsync(ingestWords(argv))
  } catch (error) {
    // commander has written its message already; 0 is --help and --version.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    process.stderr.write(errorBlock(error, process.env['LOG_LEVEL'] === 'debug'))
    return exitCodeOf(error)
  }
  return exitCode
}

function versionOf(): string {
  return (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version
}

// A reader such as `head` that has seen enough is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.ok)
})

const exitCode = await main(process.argv)
// A pipe takes what was written in its own time; the process must not end before.
process.stdout.write('', () => process.exit(exitCode))
