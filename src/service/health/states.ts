import type { Readiness, TopicState } from './readiness.ts'

/** Describes a state of a topic to operators. `docs/states.md` is generated from it. */
export interface TopicStateFacts {
  /** Says in one sentence what the topic does in this state. */
  readonly meaning: string
  /** Says what leads into the state. */
  readonly begins: string
  /** Says what leads out of it. */
  readonly ends: string
  /** True if the topic does what it is configured to do: its minute line is `info`, its component of Actuator `UP`. */
  readonly isHealthy: boolean
  /** Names the alerts of `deploy/prometheus/alerts.yaml` that fire because of this state, most specific first. */
  readonly alerts: readonly string[]
}

/** Describes each state of a topic. */
export const TOPIC_STATE_FACTS: Readonly<Record<TopicState, TopicStateFacts>> = {
  opening: {
    meaning: 'It opens its table and joins its consumer group for the first time.',
    begins: 'The process starts, or a pattern discovers the topic.',
    ends: 'The group has assigned partitions, or none: `running`. A server that it needs does not work: `waiting`.',
    isHealthy: false,
    alerts: ['KafkaDeltaNotReady'],
  },
  running: {
    meaning: 'It reads its partitions and commits to its table.',
    begins: 'The table is open and the group is joined; a circuit closes; a paused topic is resumed.',
    ends: 'Every other state.',
    isHealthy: true,
    alerts: [],
  },
  paused: {
    meaning: 'It does not read. Everything that was read is committed.',
    begins: 'The verb `pause`.',
    ends: 'The verb `resume`.',
    isHealthy: true,
    alerts: ['KafkaDeltaTopicPaused'],
  },
  waiting: {
    meaning: 'It waits for a server or a disk that does not work, and continues by itself.',
    begins:
      'The circuit of Kafka, of a store, of the access to a table or of a schema registry that the topic needs opens; no partition can be read for six seconds.',
    ends: 'The circuit lets requests through again; a partition can be read.',
    isHealthy: false,
    alerts: ['KafkaDeltaTopicWaiting', 'KafkaDeltaCircuitOpen', 'KafkaDeltaNotReady'],
  },
  stalled: {
    meaning:
      'It lags, and has neither read nor committed for `http.stalledMs`, although every server that it needs works.',
    begins: '`http.stalledMs` pass without progress and with a lag.',
    ends: 'It reads or commits.',
    isHealthy: false,
    alerts: ['KafkaDeltaTopicStalled', 'KafkaDeltaNotReady'],
  },
  restarting: {
    meaning: 'It failed with an error that may pass, and starts again from its table after a pause.',
    begins:
      'An error that is worth a retry, fewer than `restart.attempts` times since the last commit; an outage of a server, any number of times.',
    ends: 'It has opened its table and joined its group: `running`. It has failed too often: `failed`. The verb `restart` ends the pause.',
    isHealthy: false,
    alerts: ['KafkaDeltaTopicRestarting'],
  },
  failed: {
    meaning: 'It failed and is not read. Another process of the group may take over its partitions.',
    begins: 'An error that a retry does not cure, or `restart.attempts` failures without a commit.',
    ends: 'The verb `restart`, or the next start of the process.',
    isHealthy: false,
    alerts: ['KafkaDeltaTopicFailed'],
  },
  ended: {
    meaning: 'It has committed everything up to its end, or was deleted from Kafka.',
    begins:
      '`--until latest` and the table holds every partition up to its end at the start, whichever member committed it; a discovered topic is deleted.',
    ends: 'Never in this process.',
    isHealthy: true,
    alerts: [],
  },
}

/** Describes the readiness of a process to operators. */
export interface ReadinessFacts {
  /** Says when a process has it. */
  readonly meaning: string
  /** The sentence of the log line at the change to it. */
  readonly message: string
  /** True if `/readyz` answers 200 and `kafka_delta_ready` is 1. */
  readonly isReady: boolean
}

/** Describes each readiness of a process. */
export const READINESS_FACTS: Readonly<Record<Readiness, ReadinessFacts>> = {
  ready: { meaning: 'Every topic runs, is paused or has ended.', message: 'Ready', isReady: true },
  degraded: {
    meaning: 'At least one topic runs; another opens, waits, restarts or has failed.',
    message: 'Ready, but some topics are not running',
    isReady: true,
  },
  starting: {
    meaning:
      'A topic opens its table or joins its group for the first time. Once a process was ready, such a topic makes it `degraded` as long as another one runs.',
    message: 'Not ready: topics are opening',
    isReady: false,
  },
  stopping: {
    meaning: 'The process shuts down: it commits what it has read.',
    message: 'Not ready: stopping',
    isReady: false,
  },
  stalled: {
    meaning: 'A topic lags and makes no progress, for no known reason.',
    message: 'Not ready: a topic lags and makes no progress',
    isReady: false,
  },
  unavailable: {
    meaning: 'No topic runs, and at least one waits for a server.',
    message: 'Not ready: every topic waits for a server',
    isReady: false,
  },
  failed: {
    meaning: 'No topic runs: all have failed or restart.',
    message: 'Not ready: no topic is running',
    isReady: false,
  },
}
