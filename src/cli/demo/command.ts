import type { Command } from 'commander'
import { EXIT_HELP } from '../exit-codes.ts'
import { countOf } from '../table/source.ts'

interface DemoFlags {
  readonly records?: number
  readonly folder?: string
}

/** Adds `demo`: a real broker, generated events, a table in `demo/`. */
export function addDemo(program: Command, finish: (exitCode: number) => void): void {
  program
    .command('demo')
    .description('carry generated user events through a real broker into a table in demo/')
    .option('-n, --records <n>', 'how many events, 200000 by default', countOf)
    .option('-f, --folder <path>', 'where the table goes, demo by default')
    .addHelpText(
      'after',
      `
A broker is started in a temporary folder from the jars of Maven Central, which needs Java and Maven;
with KAFKA_BOOTSTRAP_SERVERS set that cluster is used and nothing is started.

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
