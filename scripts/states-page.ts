import { format, resolveConfig } from 'prettier'
import type { Circuit } from '../src/core/circuit.ts'
import {
  isReady,
  readinessOf,
  topicStateOf,
  TOPIC_STATES,
  type TopicState,
} from '../src/service/health/readiness.ts'
import { READINESS_FACTS, TOPIC_STATE_FACTS } from '../src/service/health/states.ts'
import type { RunState } from '../src/service/topic/state.ts'

/** Returns the page `docs/states.md`: its tables are what the code itself decides. */
export async function statesPage(path: string): Promise<string> {
  const text = `${INTRODUCTION}
## Topics

${topicTable()}

## What a dependency does to a topic

The rows are what a topic does by itself; the columns are the circuits of what it needs: Kafka, the stores of its tables, and the
schema registry if its format uses one. A circuit that is half-open lets one trial request through at first, and all requests
after the first success. A topic is late if it lags and has neither read nor committed for \`http.stalledMs\`.

${dependencyTable()}

## The process

${readinessTable()}

\`/healthz\` answers 200 in every state: an answer proves that the event loop runs.

## Readiness with two topics

Before the process has been ready. Once it was, \`opening\` beside \`running\` is \`degraded\`. With more topics the same rules
apply: one that is \`opening\` decides first, then one that is \`stalled\`.

${pairTable()}
`
  return await format(text, { ...(await resolveConfig(path)), parser: 'markdown' })
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function topicTable(): string {
  const rows = TOPIC_STATES.map((state) => {
    const { meaning, begins, ends, isHealthy, alerts } = TOPIC_STATE_FACTS[state]
    const readiness = readinessOf([state])
    const links = alerts.map((alert) => `[${alert}](alerts.md#${alert.toLowerCase()})`)
    return [
      `\`${state}\``,
      meaning,
      begins,
      ends,
      `${httpStatusOf(isReady(readiness))} \`${readiness}\``,
      isHealthy ? 'info' : 'warn',
      isHealthy ? 'UP' : 'DOWN',
      links.join(', '),
    ]
  })
  const head = [
    'State',
    'Meaning',
    'Begins',
    'Ends',
    '`/readyz` of a process with this topic alone',
    'Minute line',
    'Actuator',
    'Alerts',
  ]
  return tableOf(head, rows)
}

/** Circuits of a dependency by what they do with requests. */
const CIRCUITS: Readonly<Record<string, Pick<Circuit, 'state' | 'isPassing'>>> = {
  closed: { state: 'closed' },
  'half-open, after a success': { state: 'half-open', isPassing: true },
  'half-open, trial': { state: 'half-open' },
  open: { state: 'open' },
}

/** What a topic does by itself, before its dependencies are looked at. */
const RUNS: readonly {
  readonly name: string
  readonly run: RunState
  readonly hasRun: boolean
  readonly isLate: boolean
  readonly isJoining?: boolean
  readonly isCutOff?: boolean
}[] = [
  { name: 'opens for the first time', run: 'opening', hasRun: false, isLate: false },
  { name: 'opens again after a failure', run: 'opening', hasRun: true, isLate: false },
  { name: 'joins its group', run: 'running', hasRun: false, isLate: false, isJoining: true },
  {
    name: 'joins its group again after a failure',
    run: 'running',
    hasRun: true,
    isLate: false,
    isJoining: true,
  },
  { name: 'runs', run: 'running', hasRun: true, isLate: false },
  { name: 'runs and is late', run: 'running', hasRun: true, isLate: true },
  { name: 'runs, and no partition can be read', run: 'running', hasRun: true, isLate: true, isCutOff: true },
  { name: 'is paused', run: 'paused', hasRun: true, isLate: true },
  { name: 'pauses before it opens again', run: 'restarting', hasRun: true, isLate: true },
  { name: 'has failed', run: 'failed', hasRun: true, isLate: true },
  { name: 'has ended', run: 'ended', hasRun: true, isLate: false },
]

function dependencyTable(): string {
  const rows = RUNS.map(({ name, run, hasRun, isLate, isJoining = false, isCutOff = false }) => [
    name,
    ...Object.values(CIRCUITS).map((circuit) => {
      const full: Circuit = { kind: 'store', name: '', sinceMs: 0, openedCount: 0, retries: 0, ...circuit }
      return `\`${topicStateOf(run, { circuits: [full], isLate, hasRun, isJoining, isCutOff })}\``
    }),
  ])
  return tableOf(['The topic', ...Object.keys(CIRCUITS)], rows)
}

function readinessTable(): string {
  const rows = Object.entries(READINESS_FACTS).map(([readiness, { meaning, message, isReady: ready }]) => [
    `\`${readiness}\``,
    meaning,
    String(httpStatusOf(ready)),
    ready ? '1' : '0',
    ready ? 'UP' : 'DOWN',
    message,
  ])
  return tableOf(
    ['Readiness', 'When', '`/readyz`', '`kafka_delta_ready`', 'Actuator', 'Log line at the change'],
    rows,
  )
}

function pairTable(): string {
  const rows = TOPIC_STATES.map((one) => [
    `\`${one}\``,
    ...TOPIC_STATES.map((other: TopicState) => readinessOf([one, other])),
  ])
  return tableOf(['', ...TOPIC_STATES.map((state) => `\`${state}\``)], rows)
}

function httpStatusOf(isReadyNow: boolean): number {
  return isReadyNow ? 200 : 503
}

const INTRODUCTION = `# States

<!-- Generated from src/service/health by \`npm run docs\`. -->

What the service says in each state of a topic and of the process. \`/readyz\`, \`/status\`, \`/actuator/health\`, the metric
\`kafka_delta_topic_state\` and the minute line of the log use these names. In every state that is not healthy, \`/readyz\` and
\`/status\` have \`since\`, \`reason\` and \`next\`: since when, why, and what happens next.
`
