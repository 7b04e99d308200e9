import type { Command } from 'commander'
import { EXIT_HELP } from '../../service/process/exit-codes.ts'
import { parseCount } from '../table/command.ts'

interface DemoFlags {
  readonly records?: number
  readonly folder?: string
}

/** Adds the command `demo`, which ingests generated events through a real broker into a table in `demo/`. */
export function addDemo(program: Command, finish: (exitCode: number) => void): void {
  program
    .command('demo')
    .description('run a demo: generated user events through a real Kafka broker into a table in demo/')
    .option('-n, --records <n>', 'number of events (default: 200000)', parseCount)
    .option('-f, --folder <path>', 'folder of the table (default: demo)')
    .addHelpText(
      'after',
      `
Starts a Kafka broker in a temporary folder with jars from Maven Central, which requires Java and Maven.
If KAFKA_BOOTSTRAP_SERVERS is set, that cluster is used instead and nothing is started.

Examples:
  kafka-delta demo
  KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092 kafka-delta demo --records 10000
${EXIT_HELP}`,
    )
    .action(async (flags: DemoFlags) => {
      const { runDemo } = await import('./demo.ts')
      finish(await runDemo(flags))
    })
}
