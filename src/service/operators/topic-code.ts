import { metrics, type Meter } from '@opentelemetry/api'
import { closest } from 'fastest-levenshtein'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { PipelineError } from '../../core/errors.ts'
import { createTopicLogger, type Logger } from '../../telemetry/log.ts'
import { makeExtensions, type OperatorsInput } from './define.ts'
import type { TopicExtensions } from './extensions.ts'
import { loadOperatorsFile } from './load-file.ts'
import { operatorFailedError } from './place.ts'
import { createTopicMeter } from './topic-meter.ts'

/** Holds what the code of topics is made with. */
export interface TopicCodeOptions {
  readonly log: Logger
  /** The meter of the process; the global one by default. */
  readonly meter?: Meter | undefined
  /** Code of a program by the name of an entry of `topics`; it takes the place of the option `operators`. */
  readonly given?: Readonly<Record<string, OperatorsInput>> | undefined
}

/**
 * Makes the code of a user for one run of a topic: that of the program, or that of the file of the option `operators`. Returns
 * `undefined` for a topic without any. Call `close` of the result when the topic is closed.
 * @throws KD_CONFIG_INVALID when the file or what it exports cannot be used, and KD_OPERATOR_FAILED when the code throws
 */
export async function makeTopicCode(
  name: string,
  topic: Pick<TopicConfig, 'topic' | 'operators' | 'log'>,
  { log, meter = metrics.getMeter('kafka-delta'), given = {} }: TopicCodeOptions,
): Promise<TopicExtensions | undefined> {
  const code = inputFor(name, given)
  const { operators: file } = topic
  if (code === undefined && file === undefined) return undefined
  const source = code === undefined ? `topics.${name}.operators: ${file ?? ''}` : `operators of ${name}`
  const input = code ?? (await loadOperatorsFile(file ?? ''))
  const topicMeter = createTopicMeter(meter, topic.topic)
  try {
    const made = await makeExtensions(
      input,
      {
        topic: topic.topic,
        name,
        log: createTopicLogger(log, topic.topic, topic.log.level),
        meter: topicMeter.meter,
      },
      source,
    )
    return {
      ...made,
      close: async () => {
        topicMeter.close()
        await made.close?.()
      },
    }
  } catch (error) {
    topicMeter.close()
    throw operatorFailedError(source, error, { topic: topic.topic })
  }
}

/**
 * Checks that the code of a program belongs to entries of `topics`.
 * @throws KD_CONFIG_INVALID naming an entry that does not exist
 */
export function checkCodeNames(
  given: Readonly<Record<string, OperatorsInput>>,
  { topics, patterns }: Pick<Config, 'topics' | 'patterns'>,
): void {
  const names = [...Object.keys(topics), ...Object.keys(patterns)]
  const known = [...new Set(names.flatMap((name) => [name, entryOf(name)]))]
  const unknown = Object.keys(given).find(
    (name) => !known.includes(name) && !Object.hasOwn(patterns, entryOf(name)),
  )
  if (unknown === undefined) return
  const nearest = known.length === 0 ? '' : `; the nearest one is ${closest(unknown, known)}`
  throw new PipelineError('KD_CONFIG_INVALID', `operators: ${unknown} is not an entry of topics${nearest}`)
}

function inputFor(name: string, given: Readonly<Record<string, OperatorsInput>>): OperatorsInput | undefined {
  for (const key of [name, entryOf(name)]) if (Object.hasOwn(given, key)) return given[key]
  return undefined
}

/** Returns the entry of a topic of a list or a pattern, which is named `<entry>/<topic>`. */
function entryOf(name: string): string {
  const end = name.indexOf('/')
  return end < 0 ? name : name.slice(0, end)
}
