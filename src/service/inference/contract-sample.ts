import type { Config, TopicConfig } from '../../../config/types.ts'
import type { Contract } from '../../contract/contract.ts'
import { fit } from '../../evolution/fit.ts'
import { createSource } from '../../kafka/source/kafkajs-source.ts'
import { createLogger } from '../../telemetry/log.ts'
import { sampleTopic, type Sample } from './sample.ts'

/** A sample of what a topic holds now, at most `records` of its first records. */
export function sampleNow(config: Config, topic: TopicConfig, records: number): Promise<Sample> {
  const limits = { ...topic.inference, records }
  const log = createLogger({ level: 'silent' })
  return sampleTopic({ config, topic, limits, until: 'latest', source: createSource, log })
}

/** One way in which messages break a contract. */
export interface ContractFault {
  /** What was expected and where, without the value that was got. */
  readonly fault: string
  readonly messages: number
  /** In full, of the first message. */
  readonly example: string
}

/** How the messages of a sample stand to a contract, most frequent faults first. */
export function checkSample(
  { messages }: Sample,
  contract: Contract,
): { readonly valid: number; readonly faults: readonly ContractFault[] } {
  const faults = new Map<string, { fault: string; messages: number; example: string }>()
  for (const message of messages) {
    const { row } = fit(message, contract.schema, { rescues: false, lenient: 'beyond' })
    const example = contract.check(row)
    if (example === undefined) continue
    // Elements of one array break one rule.
    const fault = example.replace(/, got .*$/, '').replace(/\/\d+(?=[/ ])/g, '/*')
    const group = faults.get(fault) ?? { fault, messages: 0, example }
    faults.set(fault, { ...group, messages: group.messages + 1 })
  }
  const sorted = [...faults.values()].sort((a, b) => b.messages - a.messages)
  return { valid: messages.length - sorted.reduce((sum, group) => sum + group.messages, 0), faults: sorted }
}
