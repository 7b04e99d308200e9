import type { Config, TopicConfig } from '../../../config/types.ts'
import type { Contract } from '../../contract/contract.ts'
import { createSource } from '../../kafka/source/consumer-source.ts'
import { createLogger } from '../../telemetry/log.ts'
import { sampleTopic, type Sample } from './sample.ts'

/** Samples the records that a topic holds now, at most its first `records`. */
export function sampleCurrentRecords(config: Config, topic: TopicConfig, records: number): Promise<Sample> {
  const limits = { ...topic.inference, records }
  const log = createLogger({ level: 'silent' })
  return sampleTopic({ config, topic, limits, until: 'latest', source: createSource, log })
}

/** Describes one way in which messages violate a contract. */
interface ContractFault {
  /** The rule and the field, without the offending value. */
  readonly fault: string
  readonly messages: number
  /** The full message for the first record that violates the rule. */
  readonly example: string
}

/** Checks the messages of a sample against a contract and returns the faults, most frequent first. */
export function checkSampleAgainst(
  { messages }: Sample,
  contract: Contract,
): { readonly valid: number; readonly faults: readonly ContractFault[] } {
  const faults = new Map<string, { fault: string; messages: number; example: string }>()
  for (const message of messages) {
    const example = contract.check(message)
    if (example === undefined) continue
    // Array indexes become `*`, since all elements of an array share one rule.
    const fault = example.replace(/, got .*$/, '').replace(/\/\d+(?=[/ ])/g, '/*')
    const group = faults.get(fault) ?? { fault, messages: 0, example }
    faults.set(fault, { ...group, messages: group.messages + 1 })
  }
  const sorted = [...faults.values()].sort((a, b) => b.messages - a.messages)
  return { valid: messages.length - sorted.reduce((sum, group) => sum + group.messages, 0), faults: sorted }
}
