import { InvalidArgumentError, Option, type Command } from 'commander'
import { loadConfig } from '../../../config/load/load.ts'
import { CODEC_NAMES } from '../../compression/compression.ts'
import { PipelineError } from '../../core/errors.ts'
import { KIND_NAMES, KINDS, type KindName } from '../../sample/kinds.ts'
import { EXIT_HELP } from '../exit-codes.ts'
import { sourcesOf, withSources } from '../sources.ts'
import { countOf, timeOf } from '../table/source.ts'
import type { LoadFlags, LoadTarget } from './flags.ts'

const EVERY_SECONDS = 10
/** About what a timer can wait. */
const SECONDS_MAX = 2_000_000

/** Adds `load`: generated events into topics, at a rate or as fast as the brokers take them. */
export function addLoad(program: Command, finish: (exitCode: number) => void): void {
  const command = withSources(program.command('load'))
    .description(
      'send generated events to Kafka, at a rate or as fast as it takes them, until SIGTERM or SIGINT',
    )
    .addOption(
      new Option('-k, --kind <kind>', `${KIND_NAMES.join(', ')}; may be repeated, user by default`).argParser(
        (text: string, before: readonly KindName[] | undefined) => [...(before ?? []), kindOf(text)],
      ),
    )
    .addOption(
      new Option('-t, --topic <name>', 'where to; one for each kind, or several for one kind').argParser(
        (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
      ),
    )
    .option('-p, --partitions <n>', 'create topics that are absent, with so many partitions', countFrom1)
    .option('-r, --rate <n>', 'records a second, all topics together; as many as go by default', rateOf)
    .option('-n, --count <n>', 'stop after so many records', countOf)
    .option('-d, --duration <seconds>', 'stop after this time', secondsOf)
    .addOption(new Option('-b, --bad-every <n>', 'every n-th record of a topic is bad').argParser(countFrom1))
    .addOption(
      new Option('--bad-percent <n>', 'so many in a hundred are bad')
        .argParser(percentOf)
        .conflicts('badEvery'),
    )
    .addOption(
      new Option('--compression <codec>', 'of the record batches')
        .choices(['none', ...CODEC_NAMES])
        .default('none'),
    )
    .option('--schema-id <n>', "put a schema registry's frame with this id in front of values", countFrom1)
    .option('--seed <n>', 'the same seed and --start give the same records', countOf)
    .option('--start <time>', 'time of the first event: ISO 8601, about now by default', timeOf)
    .option(
      '--every <seconds>',
      'a line of progress so often, away from a terminal',
      secondsOf,
      EVERY_SECONDS,
    )
    .option('--json', 'print the sums as JSON')
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
      const targets = targetsOf(flags)
      const config = loadConfig(sourcesOf(flags))
      const { runLoad } = await import('./run.ts')
      await runLoad(targets, flags, config)
      finish(0)
    })
}

/**
 * Which events go to which topic: every kind to its own topic or to the one at the same place, or one kind to all topics.
 * @throws KD_COMMAND_INVALID where kinds and topics cannot be told together, or a topic is there twice.
 */
export function targetsOf({ kind: kinds = ['user'], topic: topics }: LoadFlags): readonly LoadTarget[] {
  const targets =
    topics === undefined
      ? kinds.map((kind) => ({ kind, topic: KINDS[kind].topic }))
      : topics.map((topic, index) => ({ kind: kinds[kinds.length === 1 ? 0 : index] ?? 'user', topic }))
  if (topics !== undefined && kinds.length > 1 && topics.length !== kinds.length) {
    const detail = `--topic must be there once for each --kind: ${kinds.length} kinds and ${topics.length} topics are there`
    throw new PipelineError('KD_COMMAND_INVALID', detail)
  }
  const twice = targets.find(
    ({ topic }, index) => targets.findIndex((each) => each.topic === topic) !== index,
  )
  if (twice !== undefined) {
    throw new PipelineError('KD_COMMAND_INVALID', `the topic ${twice.topic} is there twice`)
  }
  return targets
}

function kindOf(text: string): KindName {
  const kind = KIND_NAMES.find((name) => name === text)
  if (kind === undefined) throw new InvalidArgumentError(`It must be one of ${KIND_NAMES.join(', ')}.`)
  return kind
}

function countFrom1(text: string): number {
  const count = countOf(text)
  if (count === 0) throw new InvalidArgumentError('It must be a whole number from 1.')
  return count
}

function rateOf(text: string): number {
  const rate = Number(text)
  if (!/^\d{1,12}(?:\.\d{1,6})?$/.test(text) || rate === 0)
    throw new InvalidArgumentError('It must be a number above 0.')
  return rate
}

function secondsOf(text: string): number {
  const seconds = rateOf(text)
  if (seconds > SECONDS_MAX) throw new InvalidArgumentError(`It must be at most ${SECONDS_MAX}.`)
  return seconds
}

function percentOf(text: string): number {
  const percent = Number(text)
  if (!/^\d{1,3}(?:\.\d{1,6})?$/.test(text) || percent > 100)
    throw new InvalidArgumentError('It must be a number from 0 to 100.')
  return percent
}
