import { InvalidArgumentError, Option, type Command } from 'commander'
import { loadConfig } from '../../../config/load/load.ts'
import { topicNameFault } from '../../../config/topics/topic-names.ts'
import { CODEC_NAMES } from '../../compression/compression.ts'
import { PipelineError } from '../../core/errors.ts'
import { SAMPLE_KIND_NAMES, SAMPLE_KINDS, type SampleKindName } from '../../sample/kinds.ts'
import { EXIT_HELP } from '../../service/process/exit-codes.ts'
import { configSourcesOf, addConfigOptions } from '../config-flags.ts'
import { parseCount, parseTime } from '../table/command.ts'
import type { LoadFlags, LoadTarget } from './flags.ts'

const EVERY_SECONDS = 10
/** Close to the maximum of a timer. */
const SECONDS_MAX = 2_000_000

/** Adds the command `load`, which sends generated events to topics, at a fixed rate or at full speed. */
export function addLoad(program: Command, finish: (exitCode: number) => void): void {
  const command = addConfigOptions(program.command('load'))
    .description('send generated events to Kafka, at a fixed rate or at full speed, until SIGTERM or SIGINT')
    .addOption(
      new Option(
        '-k, --kind <kind>',
        `kind of events: ${SAMPLE_KIND_NAMES.join(', ')}; may be repeated (default: user)`,
      ).argParser((text: string, before: readonly SampleKindName[] | undefined) => [
        ...(before ?? []),
        parseKind(text),
      ]),
    )
    .addOption(
      new Option(
        '-t, --topic <name>',
        'target topic; one per kind, or several for one kind (default: that of the kind)',
      ).argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]),
    )
    .option('-p, --partitions <n>', 'create missing topics, with n partitions', parsePositiveCount)
    .option('-r, --rate <n>', 'records per second, over all topics (default: unlimited)', parseRate)
    .option('-n, --count <n>', 'stop after n records', parseCount)
    .option('-d, --duration <seconds>', 'stop after this time', parseSeconds)
    .addOption(
      new Option('-b, --bad-every <n>', 'make every n-th record invalid').argParser(parsePositiveCount),
    )
    .addOption(
      new Option('--bad-percent <n>', 'make n percent of the records invalid')
        .argParser(parsePercent)
        .conflicts('badEvery'),
    )
    .addOption(
      new Option('--compression <codec>', 'compression of the record batches')
        .choices(['none', ...CODEC_NAMES])
        .default('none'),
    )
    .option(
      '--schema-id <n>',
      'prefix values with the schema registry header for this id',
      parsePositiveCount,
    )
    .option('--seed <n>', 'seed: the same seed and --start yield the same records', parseCount)
    .option('--start <time>', 'time of the first event: ISO 8601 (default: about now)', parseTime)
    .option('--every <seconds>', 'interval of progress lines without a terminal', parseSeconds, EVERY_SECONDS)
    .option('--json', 'print the totals as JSON')
  command
    .addHelpText(
      'after',
      `
Examples:
  kafka-delta load --partitions 4 --rate 5000
  kafka-delta load --config config/examples/local.json --topic user.events.v1 --count 1000000
  kafka-delta load --kind user --kind order --kind web --partitions 4 --rate 3000 --duration 60 --bad-percent 0.1
${EXIT_HELP}`,
    )
    .action(async (flags: LoadFlags) => {
      const targets = loadTargetsOf(flags)
      const config = loadConfig(configSourcesOf(flags))
      const { runLoad } = await import('./run.ts')
      await runLoad(targets, flags, config)
      finish(0)
    })
}

/**
 * Returns which events are sent to which topic: each kind to its own topic or to the topic at the same
 * position, or one kind to all topics.
 *
 * @throws KD_COMMAND_INVALID if the numbers of kinds and topics differ, a topic occurs twice, or no broker takes its name
 */
export function loadTargetsOf({ kind: kinds = ['user'], topic: topics }: LoadFlags): readonly LoadTarget[] {
  const targets =
    topics === undefined
      ? kinds.map((kind) => ({ kind, topic: SAMPLE_KINDS[kind].topic }))
      : topics.map((topic, index) => ({ kind: kinds[kinds.length === 1 ? 0 : index] ?? 'user', topic }))
  if (topics !== undefined && kinds.length > 1 && topics.length !== kinds.length) {
    const detail = `--topic must be given once for each --kind: there are ${kinds.length} kinds and ${topics.length} topics`
    throw new PipelineError('KD_COMMAND_INVALID', detail)
  }
  for (const { topic } of targets) {
    const fault = topicNameFault(topic)
    if (fault !== undefined) throw new PipelineError('KD_COMMAND_INVALID', `--topic ${fault}`)
  }
  const duplicate = targets.find(
    ({ topic }, index) => targets.findIndex((each) => each.topic === topic) !== index,
  )
  if (duplicate !== undefined) {
    throw new PipelineError('KD_COMMAND_INVALID', `the topic ${duplicate.topic} is given twice`)
  }
  return targets
}

function parseKind(text: string): SampleKindName {
  const kind = SAMPLE_KIND_NAMES.find((name) => name === text)
  if (kind === undefined) throw new InvalidArgumentError(`It must be one of ${SAMPLE_KIND_NAMES.join(', ')}.`)
  return kind
}

function parsePositiveCount(text: string): number {
  const count = parseCount(text)
  if (count === 0) throw new InvalidArgumentError('It must be a whole number from 1.')
  return count
}

function parseRate(text: string): number {
  const rate = Number(text)
  if (!/^\d{1,12}(?:\.\d{1,6})?$/.test(text) || rate === 0)
    throw new InvalidArgumentError('It must be a number above 0.')
  return rate
}

function parseSeconds(text: string): number {
  const seconds = parseRate(text)
  if (seconds > SECONDS_MAX) throw new InvalidArgumentError(`It must be at most ${SECONDS_MAX}.`)
  return seconds
}

function parsePercent(text: string): number {
  const percent = Number(text)
  if (!/^\d{1,3}(?:\.\d{1,6})?$/.test(text) || percent > 100)
    throw new InvalidArgumentError('It must be a number from 0 to 100.')
  return percent
}
