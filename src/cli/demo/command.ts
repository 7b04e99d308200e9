import { Option, type Command } from 'commander'
import { EXIT_HELP } from '../../service/process/exit-codes.ts'
import { DEMO_BROKERS, type DemoBrokerKind } from './broker.ts'
import { parseCount } from '../table/command.ts'

interface DemoFlags {
  readonly kafka?: DemoBrokerKind
  readonly records?: number
  readonly folder?: string
}

/** Adds the command `demo`, which ingests generated events through a broker into a table in `demo/`. */
export function addDemo(program: Command, finish: (exitCode: number) => void): void {
  program
    .command('demo')
    .description('run a demo: generated user events through a Kafka broker into a table in demo/')
    .option('-n, --records <n>', 'number of events (default: 200000)', parseCount)
    .option('-f, --folder <path>', 'folder of the table (default: demo)')
    .addOption(
      new Option('--kafka <broker>', 'the broker to start (default: embedded)').choices(DEMO_BROKERS),
    )
    .addHelpText(
      'after',
      `
Starts the embedded broker, which needs Node.js alone. --kafka real starts Apache Kafka in a temporary folder with jars
from Maven Central, which requires Java and Maven. If KAFKA_BOOTSTRAP_SERVERS is set, that cluster is used instead and
nothing is started.

Examples:
  kafka-delta demo
  kafka-delta demo --kafka real
  KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092 kafka-delta demo --records 10000
${EXIT_HELP}`,
    )
    .action(async (flags: DemoFlags) => {
      const { runDemo } = await import('./demo.ts')
      finish(await runDemo(flags))
    })
}
