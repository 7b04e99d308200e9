import type { Observable } from 'rxjs'
import type { TopicConfig } from '../../../config/types.ts'
import type { TopicControl } from './control.ts'
import type { TopicEvent } from './events.ts'
import type { TopicStatus } from './status.ts'

/** Represents a topic that is carried into its table. */
export interface TopicRun {
  /** Name of the topic's entry in the configuration. */
  readonly name: string
  /** Name of the topic in Kafka. */
  readonly topic: string
  readonly config: TopicConfig
  /** Everything that happens to the topic from now on; completes once the topic is closed. */
  readonly events: Observable<TopicEvent>
  readonly status: TopicStatus
  readonly control: Pick<TopicControl, 'pause' | 'resume' | 'flush' | 'optimize' | 'restart' | 'stop'>
}
