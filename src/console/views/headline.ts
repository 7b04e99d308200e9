import {
  explain,
  listedTopicOf,
  type ListedTopic,
  type TopicCondition,
} from '../../service/health/condition.ts'
import type { Readiness, TopicState } from '../../service/health/readiness.ts'
import { READINESS_FACTS, TOPIC_STATE_FACTS } from '../../service/health/states.ts'
import type { Headline } from '../snapshot.ts'

/** Age from which a time is written with its date. */
const DAY_MS = 86_400_000
/** The page of the guide that explains the codes. */
const GUIDE = 'docs/troubleshooting.md'
const REASON_CHARACTERS_MAX = 300

/** Describes a topic with the causes of its state. */
export interface JudgedTopic {
  readonly topic: string
  readonly condition: TopicCondition
}

/** States of topics in trouble, the worst first. */
const WORST_FIRST: readonly TopicState[] = ['failed', 'stalled', 'waiting', 'restarting', 'opening']

/** Returns the rank of a topic by its trouble: 0 for the worst; those without trouble are last, those that are paused before them. */
export function troubleRankOf(condition: TopicCondition): number {
  const at = WORST_FIRST.indexOf(condition.state)
  if (at >= 0) return at
  if (!isWell(condition)) return WORST_FIRST.length
  return WORST_FIRST.length + (condition.state === 'paused' ? 1 : 2)
}

/** Returns whether a topic does what it is configured to do: also one that is paused. */
export function isWell({ state, obstacle }: TopicCondition): boolean {
  return TOPIC_STATE_FACTS[state].isHealthy && (obstacle === undefined || state !== 'running')
}

/**
 * Returns the sentence that an engineer reads first: the topic in the worst state with its cause, or that all are well. The
 * level is `stopped` when no record gets into a table: no topic runs, or the process shuts down. `topics` are the worst first.
 */
export function headlineOf(readiness: Readiness, topics: readonly JudgedTopic[]): Headline {
  const troubled = topics.filter(({ condition }) => !isWell(condition))
  const level = levelOf(readiness, topics, troubled.length)
  const [worst] = troubled
  if (worst === undefined || readiness === 'stopping')
    return { level, readiness, sentence: `${level}: ${overallOf(readiness, topics)}`, more: troubled.length }
  const listed = listedTopicOf(worst.topic, worst.condition)
  const { reason, next } = explain(worst.condition)
  const { code, state } = listed
  return {
    ...{ level, readiness, sentence: `${level}: ${sentenceOn(listed, worst.condition)}` },
    ...{ topic: worst.topic, state, sinceMs: worst.condition.sinceMs },
    ...(reason === undefined ? {} : { reason }),
    ...(next === undefined ? {} : { next }),
    ...(code === undefined ? {} : { code, guideUrl: guideUrlOf(code) }),
    more: troubled.length - 1,
  }
}

/** Returns where the guide explains a code. */
function guideUrlOf(code: string): string {
  return `${GUIDE}#${code.toLowerCase()}`
}

function levelOf(readiness: Readiness, topics: readonly JudgedTopic[], troubled: number): Headline['level'] {
  const runs = topics.some(({ condition: { state } }) => state === 'running')
  if (readiness === 'stopping' || readiness === 'unavailable' || readiness === 'failed') return 'stopped'
  if (readiness === 'stalled' && !runs) return 'stopped'
  return readiness === 'ready' && troubled === 0 ? 'healthy' : 'degraded'
}

function overallOf(readiness: Readiness, topics: readonly JudgedTopic[]): string {
  if (readiness !== 'ready') {
    const { meaning } = READINESS_FACTS[readiness]
    return topics.length === 0 && readiness === 'starting'
      ? 'the process starts'
      : `${meaning.charAt(0).toLowerCase()}${meaning.slice(1).replace(/\.$/, '')}`
  }
  const count = (state: TopicState): number =>
    topics.filter(({ condition }) => condition.state === state).length
  const [running, paused, ended] = [count('running'), count('paused'), count('ended')]
  const parts = [
    ...(running > 0 || topics.length === 0 ? [running === 1 ? '1 topic runs' : `${running} topics run`] : []),
    ...(paused > 0 ? [`${paused} paused`] : []),
    ...(ended > 0 ? [`${ended} ended`] : []),
  ]
  return parts.join(', ')
}

/** Returns the sentence about one topic: what it does, since when and why. */
function sentenceOn(listed: ListedTopic, { sinceMs, nowMs, isJoining, obstacle }: TopicCondition): string {
  const { topic, state, waitsFor, reason } = listed
  const verb: Readonly<Record<TopicState, string>> = {
    opening: isJoining ? 'joins its group' : 'opens its table',
    running: 'is read only in part',
    paused: 'is paused',
    waiting: waitsFor === undefined ? 'waits' : `waits for ${waitsFor.join(', ')}`,
    stalled: 'makes no progress',
    restarting: 'restarts',
    failed: 'has failed',
    ended: 'has ended',
  }
  const since = state === 'running' ? (obstacle?.sinceMs ?? sinceMs) : sinceMs
  const named = waitsFor?.find((name) => reason?.startsWith(`${name}: `))
  const cause = named === undefined ? reason : reason?.slice(named.length + 2)
  const why = cause === undefined ? '' : `, because ${clauseOf(cause)}`
  return `${topic} ${verb[state]} since ${timeOf(since, nowMs)}${why}`
}

/** Returns a sentence as the end of another: its first word is not written large, unless it is a name. */
function clauseOf(reason: string): string {
  const short =
    reason.length > REASON_CHARACTERS_MAX ? `${reason.slice(0, REASON_CHARACTERS_MAX - 1)}…` : reason
  const text = short.replace(/\.$/, '')
  return /^(?:The|It|An|A|No)\b/.test(text) ? `${text.charAt(0).toLowerCase()}${text.slice(1)}` : text
}

function timeOf(ms: number, nowMs: number): string {
  const iso = new Date(ms).toISOString()
  const time = `${iso.slice(11, 19)} UTC`
  return nowMs - ms < DAY_MS ? time : `${iso.slice(0, 10)} ${time}`
}
