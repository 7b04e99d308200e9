import { InvalidArgumentError, Option, type Command } from 'commander'
import { loadConfig } from '../../config/load/load.ts'
import type { Config, TopicConfig } from '../../config/types.ts'
import { PipelineError } from '../core/errors.ts'
import type { Sample } from '../service/inference/sample.ts'
import { EXIT, EXIT_HELP } from './exit-codes.ts'
import { jsonOf, print, printJson, tableOf } from './output.ts'
import { sourcesOf, withSources, type SourceFlags } from './sources.ts'

interface SampleFlags extends SourceFlags {
  readonly brokers?: string
  readonly format?: string
  readonly records: number
  readonly json?: true
}

interface InferFlags extends SampleFlags {
  readonly timestamps?: true
  readonly enums?: true
}

interface CheckFlags extends SampleFlags {
  readonly contract: string
}

const RECORDS = 1_000
const RECORDS_MAX = 1_000_000

/** Adds `contract infer` and `contract check`. */
export function addContract(program: Command, finish: (exitCode: number) => void): void {
  const contract = program
    .command('contract')
    .description('make contracts of messages, and hold messages to them')
  sampling(contract, 'infer', [
    'kafka-delta contract infer events --brokers localhost:9092 > events.schema.json',
  ])
    .description('print a JSON Schema that a sample of a topic meets')
    .option('--timestamps', 'make columns of texts that are all dates and times timestamps')
    .option('--enums', 'make enumerations of texts of few different values')
    .action(async (topic: string, flags: InferFlags) => infer(topic, flags))
  sampling(contract, 'check', [
    'kafka-delta contract check events --config service.json --contract events.schema.json',
  ])
    .description('say how many messages of a sample meet a contract, and how the others do not')
    .requiredOption('--contract <file>', 'JSON Schema file')
    .action(async (topic: string, flags: CheckFlags) => finish(await check(topic, flags)))
}

function sampling(parent: Command, name: string, examples: readonly string[]): Command {
  return withSources(parent.command(name))
    .argument('<topic>', 'entry of `topics`, or name of a Kafka topic')
    .option('--brokers <list>', 'host:port, separated by commas, in place of kafka.brokers')
    .option('--format <name>', 'in place of the format of the entry')
    .addOption(
      new Option('--records <count>', 'how many of the first records are read')
        .argParser(countOf)
        .default(RECORDS),
    )
    .option('--json', 'print what was found together with the sample it was found in, as JSON')
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}\n${EXIT_HELP}`)
}

async function infer(name: string, flags: InferFlags): Promise<void> {
  const { topic, sample } = await taken(name, flags)
  const { addedLines, inferColumns } = await import('../evolution/inferred.ts')
  const { writtenContract } = await import('../evolution/written-contract.ts')
  const { messages } = sample
  if (messages.length === 0) throw nothingIn(topic, sample)
  const timestamps = flags.timestamps === true || topic.inference.timestamps
  const schema = inferColumns(messages, { timestamps })
  const contract = writtenContract(messages, schema, { enums: flags.enums === true })
  if (flags.json === true) {
    await printJson({ topic: topic.topic, ...countsOf(sample), columns: addedLines(schema), contract })
    return
  }
  await print(`${jsonOf(contract)}\n`)
  process.stderr.write(`${summaryOf(topic, sample)}\n`)
}

async function check(name: string, flags: CheckFlags): Promise<number> {
  const { readContract } = await import('../contract/file.ts')
  const contract = await readContract(flags.contract)
  const { topic, sample } = await taken(name, flags)
  const { checkSample } = await import('../service/inference/contract-sample.ts')
  const { valid, faults } = checkSample(sample, contract)
  const exit = faults.length === 0 && sample.unreadableCount === 0 ? EXIT.ok : EXIT.failed
  if (flags.json === true) {
    await printJson({ topic: topic.topic, contract: flags.contract, ...countsOf(sample), valid, faults })
    return exit
  }
  await print(
    `${summaryOf(topic, sample)}\n${valid} of ${sample.messages.length} messages meet ${flags.contract}\n`,
  )
  if (faults.length > 0) {
    const rows = faults.map(({ fault, messages, example }) => [messages, fault, example] as const)
    await print(tableOf(['messages', 'fault', 'such as'], rows))
  }
  return exit
}

async function taken(name: string, flags: SampleFlags): Promise<{ topic: TopicConfig; sample: Sample }> {
  const { config, topic } = configOf(name, flags)
  const { sampleNow } = await import('../service/inference/contract-sample.ts')
  return { topic, sample: await sampleNow(config, topic, flags.records) }
}

/** The entry of that name or of that Kafka topic; one with nothing but defaults where there is none. */
function configOf(name: string, flags: SampleFlags): { config: Config; topic: TopicConfig } {
  const sources = sourcesOf(flags)
  const kafka = flags.brokers === undefined ? {} : { kafka: { brokers: flags.brokers.split(',') } }
  const known = loadConfig({ ...sources, object: kafka })
  const entry =
    Object.entries(known.topics).find(([key]) => key === name) ??
    Object.entries(known.topics).find(([, { topic }]) => topic === name)
  const given = {
    ...(entry === undefined ? { table: { uri: 'memory:nowhere' } } : {}),
    ...(flags.format === undefined ? {} : { format: flags.format }),
  }
  const key = entry?.[0] ?? name
  const config = loadConfig({ ...sources, object: { ...kafka, topics: { [key]: given } } })
  const topic = config.topics[key]
  if (topic === undefined) throw new Error('Broken invariant: a topic that was given is there')
  return { config, topic }
}

function countsOf({ messages, records, tombstones, unreadableCount }: Sample): object {
  return { records, messages: messages.length, unreadable: unreadableCount, tombstones }
}

function summaryOf({ topic }: TopicConfig, sample: Sample): string {
  const { messages, records, tombstones, unreadable, unreadableCount } = sample
  const [first] = unreadable
  const such = first === undefined ? '' : ` (such as offset ${first.offset}: ${first.message})`
  return `${topic}: ${records} records read: ${messages.length} messages, ${unreadableCount} unreadable${such}, ${tombstones} without a value`
}

function nothingIn(topic: TopicConfig, sample: Sample): PipelineError {
  return new PipelineError('KD_COMMAND_INVALID', `no message to go by; ${summaryOf(topic, sample)}`)
}

function countOf(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > RECORDS_MAX)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${RECORDS_MAX}.`)
  return count
}
