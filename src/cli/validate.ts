import type { Command } from 'commander'
import { resolvePatternTopic } from '../../config/topics/entries.ts'
import { loadConfig } from '../../config/load/load.ts'
import type { Config, TopicConfig } from '../../config/types.ts'
import { PipelineError } from '../core/errors.ts'
import { EXIT, EXIT_HELP, exitCodeOf } from '../service/process/exit-codes.ts'
import { formatError, print, printJson, formatTable } from './output.ts'
import type { TablePlan } from './plan.ts'
import { configSourcesOf, addConfigOptions, type ConfigFlags } from './config-flags.ts'
import { withTopicCode } from './topic-code.ts'
import { formatDataType } from './table/type-text.ts'

interface ValidateFlags extends ConfigFlags {
  readonly json?: true
  readonly explain?: true
}

/** Adds the command `validate`, which checks configuration and contracts and shows the resulting tables. */
export function addValidate(program: Command, finish: (exitCode: number) => void): void {
  addConfigOptions(program.command('validate'), '<file...>')
    .description(
      'check configuration and contracts and show the resulting tables, without connecting to Kafka or a store',
    )
    .option('--json', 'print the tables as JSON')
    .option(
      '--explain',
      'say for each column, rule, filter and transform if it runs on columns or needs objects, which cost more CPU, and why',
    )
    .addHelpText(
      'after',
      `
Examples:
  kafka-delta validate --config config/examples/local.json
  kafka-delta validate --config service.json --set topics.events.startFrom=latest --json
  kafka-delta validate --config service.json --explain
${EXIT_HELP}`,
    )
    .action(async (flags: ValidateFlags) => {
      const config = loadConfig({ ...configSourcesOf(flags), needsTopic: true })
      const { planTable } = await import('./plan.ts')
      const plans: TablePlan[] = []
      let exitCode: number = EXIT.ok
      for (const [name, topic] of topicsOf(config)) {
        try {
          plans.push(await withTopicCode(name, topic, (code) => planTable(name, topic, code)))
        } catch (error) {
          // Continues with the other topics, so that all faults are reported.
          if (!(error instanceof PipelineError)) throw error
          exitCode = exitCodeOf(error)
          process.stderr.write(formatError(error, config.log.level === 'debug'))
        }
      }
      if (exitCode === EXIT.ok && flags.explain === true) await explain(config, flags)
      else if (exitCode === EXIT.ok) {
        if (flags.json === true) await printJson(plans)
        else for (const plan of plans) await print(planText(plan))
      }
      finish(exitCode)
    })
}

/** Prints how the records of each topic are decoded. */
async function explain(config: Config, { json }: ValidateFlags): Promise<void> {
  const { explainTopic, formatExplanation } = await import('./explain.ts')
  const explanations = []
  for (const [name, topic] of topicsOf(config))
    explanations.push(await withTopicCode(name, topic, (code) => explainTopic(name, topic, config, code)))
  if (json === true) await printJson(explanations)
  else for (const explanation of explanations) await print(formatExplanation(explanation))
}

/** Returns every topic; an entry with a pattern is included once, with `{topic}` as the name of its topics. */
function topicsOf({ topics, patterns, kafka }: Config): readonly (readonly [string, TopicConfig])[] {
  const matched = Object.entries(patterns).map(
    ([name, entry]) => [name, resolvePatternTopic(name, entry, undefined, kafka.groupId).values] as const,
  )
  return [...Object.entries(topics), ...matched]
}

function planText(plan: TablePlan): string {
  const head = [
    `topic ${plan.topic} → table ${plan.table}`,
    `  offsets       txn ${plan.appId}-<partition>`,
    `  dead letters  topic ${plan.deadLetters}`,
    `  partitions    ${plan.partitionColumns.length === 0 ? 'none' : plan.partitionColumns.join(', ')}`,
  ].join('\n')
  const columns =
    plan.schema === undefined
      ? '  columns of the existing table, or inferred from the first messages: there is no contract\n'
      : formatTable(
          ['column', 'type'],
          plan.schema.fields.map((field) => [field.name, formatDataType(field.type)]),
        )
          .replace(/^/gm, '  ')
          .trimEnd() + '\n'
  return `${head}\n${columns}\n`
}
