import type { SourceEvent } from '../../kafka/source/source-options.ts'
import type { TopicEvent } from '../../service/topic/events.ts'

/** Partitions that a text names. */
const NAMED_MAX = 20

/** Describes an event of the time line; `text` may quote messages of servers, with their secrets. */
export interface TimelineEvent {
  readonly kind: string
  readonly text: string
}

/** Returns the entry of the time line for an event of a topic: rebalances, assignments and changes of its run. */
export function timelineEventOf(event: TopicEvent): TimelineEvent | undefined {
  switch (event.kind) {
    case 'source':
      return sourceEventOf(event.event)
    case 'paused':
      return { kind: 'paused', text: 'An operator paused the topic' }
    case 'resumed':
      return { kind: 'resumed', text: 'An operator resumed the topic' }
    case 'fenced':
      return {
        kind: 'fenced',
        text:
          event.unfitReason ??
          'Another writer has committed these offsets: the flush is dropped and read again',
      }
    case 'phase':
      return {
        kind: event.phase,
        text: event.failure === undefined ? PHASE_TEXTS[event.phase] : event.failure.message,
      }
    default:
      return undefined
  }
}

const PHASE_TEXTS = {
  opening: 'The topic opens its table',
  running: 'The table is open; the consumer joins its group',
  restarting: 'The topic is started again',
  failed: 'The topic failed',
  ended: 'The topic has ended',
} as const

function sourceEventOf(event: SourceEvent): TimelineEvent | undefined {
  switch (event.kind) {
    case 'assigned':
      return { kind: 'assigned', text: assignmentText(event.partitions) }
    case 'rebalancing':
      return { kind: 'rebalancing', text: 'The group divides its partitions again' }
    case 'brokers-silent':
      return { kind: 'brokers-silent', text: 'No broker answers' }
    case 'brokers-answer':
      return { kind: 'brokers-answer', text: 'A broker answers' }
    default:
      return undefined
  }
}

function assignmentText(partitions: readonly number[]): string {
  if (partitions.length === 0) return 'No partitions: other members have them'
  const named = partitions.slice(0, NAMED_MAX).join(', ')
  const count = `${partitions.length} ${partitions.length === 1 ? 'partition' : 'partitions'}`
  return `${count}: ${named}${partitions.length > NAMED_MAX ? ', …' : ''}`
}
