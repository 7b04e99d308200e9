import type { Command } from 'commander'
import { topicOfPattern } from '../../config/topics/entries.ts'
import { loadConfig } from '../../config/load/load.ts'
import type { Config, TopicConfig } from '../../config/types.ts'
import { PipelineError } from '../core/errors.ts'
import { EXIT, EXIT_HELP, exitCodeOf } from './exit-codes.ts'
import { errorBlock, print, printJson, tableOf } from './output.ts'
import type { Plan } from './plan.ts'
import { sourcesOf, withSources, type SourceFlags } from './sources.ts'
import { typeText } from './table/type-text.ts'

interface ValidateFlags extends SourceFlags {
  readonly json?: true
}

/** Adds `validate`: checks configuration and contracts, and shows the tables that would come of them. */
export function addValidate(program: Command, finish: (exitCode: number) => void): void {
  withSources(program.command('validate'), '<file...>')
    .description(
      'check configuration and contracts and show the tables planned; asks neither Kafka nor the store',
    )
    .option('--json', 'print the plan as JSON')
    .addHelpText(
      'after',
      `
Examples:
  kafka-delta validate --config config/examples/local.json
  kafka-delta validate --config service.json --set topics.events.startFrom=latest --json
${EXIT_HELP}`,
    )
    .action(async (flags: ValidateFlags) => {
      const config = loadConfig({ ...sourcesOf(flags), needsTopic: true })
      const { planOf } = await import('./plan.ts')
      const plans: Plan[] = []
      let exitCode: number = EXIT.ok
      for (const [name, topic] of topicsOf(config)) {
        try {
          plans.push(await planOf(name, topic))
        } catch (error) {
          // The faults of the other topics are wanted too.
          if (!(error instanceof PipelineError)) throw error
          exitCode = exitCodeOf(error)
          process.stderr.write(errorBlock(error, config.log.level === 'debug'))
        }
      }
      if (exitCode === EXIT.ok) {
        if (flags.json === true) await printJson(plans)
        else for (const plan of plans) await print(planText(plan))
      }
      finish(exitCode)
    })
}

/** Every topic; an entry with a pattern stands for all that it will match, as `{topic}`. */
function topicsOf({ topics, patterns, kafka }: Config): readonly (readonly [string, TopicConfig])[] {
  const matched = Object.entries(patterns).map(
    ([name, entry]) => [name, topicOfPattern(name, entry, '{topic}', kafka.groupId)] as const,
  )
  return [...Object.entries(topics), ...matched]
}

function planText(plan: Plan): string {
  const head = [
    `topic ${plan.topic} → table ${plan.table}`,
    `  offsets    txn ${plan.appId}-<partition>`,
    `  bad ones   topic ${plan.deadLetters}`,
    `  partitions ${plan.partitionColumns.length === 0 ? 'none' : plan.partitionColumns.join(', ')}`,
  ].join('\n')
  const columns =
    plan.schema === undefined
      ? '  columns as the table has them, or as the first messages ask for: there is no contract\n'
      : tableOf(
          ['column', 'type'],
          plan.schema.fields.map((field) => [field.name, typeText(field.type)]),
        )
          .replace(/^/gm, '  ')
          .trimEnd() + '\n'
  return `${head}\n${columns}\n`
}
