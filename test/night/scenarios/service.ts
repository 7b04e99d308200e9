import { setTimeout as sleep } from 'node:timers/promises'
import { nameForTests } from '../../support/servers/servers.ts'
import { topicOf } from '../../faults/support/scenario.ts'
import { parseLine } from '../support/said.ts'
import type { Scenario } from '../support/scenario.ts'
import { READY } from '../support/wanted.ts'

const MANY = 200
const MANY_START_MS_MAX = 60_000
const PROBE_MS_MAX = 1_000
const METRICS_BYTES_MAX = 1_500_000
const LINE_BYTES_MAX = 16_384
const SMALL_BUDGET = 8 * 1024 * 1024

/** Faults of the process itself: its memory, its configuration, its size, its admin verbs. */
export const SERVICE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'wrong-configuration',
    fault: 'The configuration has faults',
    does: 'names all of them, each with its key, and ends with exit code 2',
    remedy: 'correct the options that are named',
    code: 'KD_CONFIG_INVALID',
    isShort: true,
    prepare: async (night) => {
      const topics = { orders: { ...topicOf('orders', '/data/orders'), flsh: { ageMs: 1 } } }
      return {
        config: { ...(await night.config(topics)), kafka: { brokers: ['nowhere'], groupId: '' } },
        said: {
          lines: [{ level: 'error', text: /./, code: 'KD_CONFIG_INVALID' }],
          also: ({ lines }) => {
            const keys = lines.flatMap((line) => (parseLine(line) as { key?: string } | undefined)?.key ?? [])
            return ['topics.orders.flsh', 'kafka.brokers', 'kafka.groupId'].flatMap((key) =>
              keys.some((one) => one.startsWith(key)) ? [] : [`no line with key ${key}`],
            )
          },
        },
        exit: 2,
      }
    },
  },
  {
    name: 'budget-full',
    fault: 'The store is slow, and the byte budget is used up',
    does: 'reads no more than the budget until rows are committed; stays ready as long as it commits',
    remedy:
      'find out why the store is slow; more memory and a larger `budget.bytes` help with a high latency',
    prepare: async (night) => {
      const bucket = await night.bucket()
      const orders = await night.topic({ bucket, perSend: 400 })
      const budget = { bytes: SMALL_BUDGET }
      const topics = {
        orders: orders.entry({ flush: { ageMs: 500, bytes: SMALL_BUDGET / 4 }, creditBytes: SMALL_BUDGET }),
      }
      return {
        config: await night.config(topics, { storage: bucket.storage, budget }),
        fault: () => bucket.proxy.set('slow'),
        said: {
          ...READY,
          topics: { orders: { states: ['running'], lag: 'positive' } },
          also: ({ status }) => {
            const { bytes = 0, bytesMax = 1 } = status?.budget ?? {}
            return bytes / bytesMax > 0.5 ? [] : [`${bytes} of ${bytesMax} bytes of the budget are taken`]
          },
          alert: 'KafkaDeltaBudgetFull',
        },
        during: (process) => {
          const peak = process.worker.peakMiB()
          return Promise.resolve(peak > 700 ? [`${peak} MiB resident with a budget of 8 MiB`] : [])
        },
        remedy: () => bucket.proxy.set('pass'),
        exact: [orders],
      }
    },
  },
  {
    name: 'many-topics',
    fault: '200 topics in one process',
    does: 'opens them a few at a time; probes answer all the while',
    remedy: 'give `/readyz` and scrapes the usual time-outs',
    prepare: async (night) => {
      const prefix = nameForTests('many')
      const folder = await night.newFolder('many')
      await night.asAdmin(async (admin) => {
        const topics = Array.from({ length: MANY }, (_, index) => ({
          topic: `${prefix}.${index}`,
          numPartitions: 1,
        }))
        await admin.createTopics({ topics, waitForLeaders: true, timeout: 30_000 })
      })
      const names = Array.from({ length: MANY }, (_, index) => `${prefix}.${index}`)
      const { topic, ...entry } = topicOf('', `${folder}/{topic}`) as { readonly topic: string }
      return {
        config: await night.config({ many: { ...entry, pattern: `${prefix}\\..*`, topicsMax: MANY } }),
        said: {},
        during: async (process) => {
          const { unmet } = await process.says(
            {
              ...READY,
              also: ({ status }) => {
                const count = Object.keys(status?.topics ?? {}).length
                return count === MANY ? [] : [`${topic}${count} topics of ${MANY}`]
              },
            },
            MANY_START_MS_MAX,
          )
          const slowest = Math.max(...process.samples.map(({ tookMs }) => tookMs))
          const size = await process.metricsBytes()
          const longest = Math.max(...process.worker.lines.map(({ length }) => length))
          return [
            ...unmet,
            ...(slowest > PROBE_MS_MAX ? [`the slowest probe took ${slowest} ms`] : []),
            ...(size > METRICS_BYTES_MAX ? [`/metrics has ${size} bytes`] : []),
            ...(longest > LINE_BYTES_MAX ? [`a line of the log has ${longest} characters`] : []),
          ]
        },
        // A broker with so many topics takes long to start again.
        cleanUp: () => night.asAdmin((admin) => admin.deleteTopics({ topics: names })),
      }
    },
  },
  {
    name: 'verbs-while-store-down',
    fault: 'Somebody pauses, flushes and restarts a topic while its store is down',
    does: '`flush` and `restart` say why they are not carried out; `pause` and `resume` are',
    remedy: 'wait for the store; a flush follows by itself',
    prepare: async (night) => {
      const bucket = await night.bucket()
      const orders = await night.topic({ bucket })
      return {
        config: await night.config({ orders: orders.entry() }, { storage: bucket.storage }),
        fault: () => bucket.proxy.set('refuse'),
        said: {
          code: 503,
          readiness: ['unavailable'],
          topics: { orders: { states: ['waiting'], reason: /s3:/ } },
        },
        during: async (process) => {
          const wrong: string[] = []
          const flush = await process.verb('orders', 'flush')
          const why = flush.body.reason ?? flush.body.error ?? ''
          if (flush.body.done === true || ![202, 409].includes(flush.code) || why === '')
            wrong.push(`flush answered ${flush.code} ${JSON.stringify(flush.body)}`)
          const restart = await process.verb('orders', 'restart')
          if (restart.code !== 409 || !/waits for s3:/.test(restart.body.error ?? ''))
            wrong.push(`restart answered ${restart.code} ${JSON.stringify(restart.body)}`)
          for (const [verb, state] of [
            ['pause', 'paused'],
            ['resume', 'waiting'],
          ] as const) {
            const { code, body } = await process.verb('orders', verb)
            if (code !== 200 && code !== 202) wrong.push(`${verb} answered ${code} ${JSON.stringify(body)}`)
            await sleep(500)
            const { unmet } = await process.says({ topics: { orders: { states: [state] } } }, 5_000)
            wrong.push(...unmet.map((one) => `after ${verb}: ${one}`))
          }
          return wrong
        },
        remedy: () => bucket.proxy.set('pass'),
        exact: [orders],
      }
    },
  },
]
