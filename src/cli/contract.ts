import { InvalidArgumentError, Option, type Command } from 'commander'
import { loadConfig } from '../../config/load/load.ts'
import type { Config, TopicConfig } from '../../config/types.ts'
import { PipelineError } from '../core/errors.ts'
import type { Sample } from '../service/inference/sample.ts'
import { EXIT, EXIT_HELP } from '../service/process/exit-codes.ts'
import { formatJson, print, printJson, formatTable } from './output.ts'
import { configSourcesOf, addConfigOptions, type ConfigFlags } from './config-flags.ts'

interface SampleFlags extends ConfigFlags {
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

/** Adds the commands `contract infer` and `contract check`. */
export function addContract(program: Command, finish: (exitCode: number) => void): void {
  const contract = program
    .command('contract')
    .description('generate a contract from sample messages, or check sample messages against a contract')
  addSampleCommand(contract, 'infer', [
    'kafka-delta contract infer events --brokers localhost:9092 > events.schema.json',
  ])
    .description('print a JSON Schema that is inferred from a sample of a topic')
    .option('--timestamps', 'infer timestamp and date columns from ISO 8601 text')
    .option('--enums', 'infer enumerations from text with few distinct values')
    .action(async (topic: string, flags: InferFlags) => infer(topic, flags))
  addSampleCommand(contract, 'check', [
    'kafka-delta contract check events --config service.json --contract events.schema.json',
  ])
    .description('check a sample of a topic against a contract and report the violations')
    .requiredOption('--contract <file>', 'JSON Schema file to check against')
    .action(async (topic: string, flags: CheckFlags) => finish(await check(topic, flags)))
}

function addSampleCommand(parent: Command, name: string, examples: readonly string[]): Command {
  return addConfigOptions(parent.command(name))
    .argument('<topic>', 'name of an entry of `topics`, or of a Kafka topic')
    .option('--brokers <list>', 'comma-separated host:port list, overrides kafka.brokers')
    .option('--format <name>', 'format of the values, overrides the format of the entry')
    .addOption(
      new Option('--records <count>', 'number of records to read, from the start of the topic')
        .argParser(parseRecordCount)
        .default(RECORDS),
    )
    .option('--json', 'print the result and the counts of the sample as JSON')
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}\n${EXIT_HELP}`)
}

async function infer(name: string, flags: InferFlags): Promise<void> {
  const { topic, sample } = await takeSample(name, flags)
  const { describeAddedColumns, inferColumns } = await import('../evolution/infer-from-sample.ts')
  const { generateContract } = await import('../evolution/generated-contract.ts')
  const { messages, writers } = sample
  if (messages.length === 0) throw emptySampleError(topic, sample)
  const timestamps = flags.timestamps === true || topic.inference.timestamps
  const schema = inferColumns(messages, { timestamps, writers })
  const contract = generateContract(messages, schema, { enums: flags.enums === true })
  if (flags.json === true) {
    await printJson({
      topic: topic.topic,
      ...countsOf(sample),
      columns: describeAddedColumns(schema),
      contract,
    })
    return
  }
  await print(`${formatJson(contract)}\n`)
  process.stderr.write(`${sampleSummaryOf(topic, sample)}\n`)
}

async function check(name: string, flags: CheckFlags): Promise<number> {
  const { readContract } = await import('../contract/file.ts')
  const contract = await readContract(flags.contract)
  const { topic, sample } = await takeSample(name, flags)
  const { checkSampleAgainst } = await import('../service/inference/contract-sample.ts')
  const { valid, faults } = checkSampleAgainst(sample, contract)
  const exit = faults.length === 0 && sample.unreadableCount === 0 ? EXIT.ok : EXIT.failed
  if (flags.json === true) {
    await printJson({ topic: topic.topic, contract: flags.contract, ...countsOf(sample), valid, faults })
    return exit
  }
  await print(
    `${sampleSummaryOf(topic, sample)}\n${valid} of ${sample.messages.length} messages satisfy ${flags.contract}\n`,
  )
  if (faults.length > 0) {
    const rows = faults.map(({ fault, messages, example }) => [messages, fault, example] as const)
    await print(formatTable(['messages', 'fault', 'such as'], rows))
  }
  return exit
}

async function takeSample(name: string, flags: SampleFlags): Promise<{ topic: TopicConfig; sample: Sample }> {
  const { config, topic } = configOf(name, flags)
  const { sampleCurrentRecords } = await import('../service/inference/contract-sample.ts')
  return { topic, sample: await sampleCurrentRecords(config, topic, flags.records) }
}

/** Returns the entry with that name, or the one that reads that Kafka topic, or else an entry with defaults only. */
function configOf(name: string, flags: SampleFlags): { config: Config; topic: TopicConfig } {
  const sources = configSourcesOf(flags)
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
  if (topic === undefined) throw new Error('Broken invariant: the configured topic exists after loading')
  return { config, topic }
}

function countsOf({ messages, records, tombstones, unreadableCount }: Sample): object {
  return { records, messages: messages.length, unreadable: unreadableCount, tombstones }
}

function sampleSummaryOf({ topic }: TopicConfig, sample: Sample): string {
  const { messages, records, tombstones, unreadable, unreadableCount } = sample
  const [first] = unreadable
  const example = first === undefined ? '' : ` (such as offset ${first.offset}: ${first.message})`
  return `${topic}: ${records} records read: ${messages.length} messages, ${unreadableCount} undecodable${example}, ${tombstones} without a value`
}

function emptySampleError(topic: TopicConfig, sample: Sample): PipelineError {
  return new PipelineError(
    'KD_COMMAND_INVALID',
    `the sample has no messages; ${sampleSummaryOf(topic, sample)}`,
  )
}

function parseRecordCount(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > RECORDS_MAX)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${RECORDS_MAX}.`)
  return count
}
