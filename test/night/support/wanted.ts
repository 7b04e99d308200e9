import type { TopicState } from '../../../src/service/health/readiness.ts'
import type { MetricWanted, Said } from './scenario.ts'

/** What a service says that works. */
export const READY: Said = { code: 200, readiness: ['ready'] }

/** Wants the metric of the state of a topic, of all topics together without a name. */
export function isTopicState(state: TopicState, topic?: string): MetricWanted {
  const labels = { state, ...(topic === undefined ? {} : { topic }) }
  return { name: 'kafka_delta_topic_state', labels, is: (value) => (value ?? 0) >= 1 }
}

/** Wants a series with a positive value. */
export function isPositive(name: string, labels: Readonly<Record<string, string>> = {}): MetricWanted {
  return { name, labels, is: (value) => (value ?? 0) > 0 }
}

/** What a service says whose topic `orders` has failed for good while `local` goes on. */
export function ordersFailed(topic: string, failure: string, reason: RegExp): Said {
  return {
    code: 200,
    readiness: ['degraded'],
    topics: { orders: { states: ['failed'], failure, reason }, local: { states: ['running'] } },
    lines: [{ level: 'error', text: reason, code: failure }],
    metrics: [isTopicState('failed', topic)],
    alert: 'KafkaDeltaTopicFailed',
  }
}
