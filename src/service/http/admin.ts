import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { LogLevel } from '../../../config/logging/types.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { LogLevels } from '../../telemetry/log-levels.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { Health } from '../health/health.ts'
import type { TopicRun } from '../topic/topic.ts'

/** What the verbs work with. */
export interface AdminParts {
  readonly token: string
  readonly health: Health
  readonly log: Logger
  /** Those of the log. */
  readonly levels: LogLevels
  readonly clock?: Clock
}

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** Verbs a minute; those that are refused for their token are not counted. */
const USES_MAX = 60
const MINUTE_MS = 60_000
/** How long whoever asks waits for a flush or an optimization; after that it goes on without an answer. */
const WAIT_MS_MAX = 8_000

/** Why a verb is not carried out. */
class Refusal extends Error {
  readonly statusCode: number
  readonly code: string | undefined

  constructor(statusCode: number, message: string, code?: string) {
    super(message)
    this.statusCode = statusCode
    this.code = code
  }
}

type Verb = 'pause' | 'resume' | 'flush' | 'optimize'

const VERBS: Readonly<Record<Verb, (topic: TopicRun) => void | Promise<void>>> = {
  pause: (topic) => topic.pause(),
  resume: (topic) => topic.resume(),
  flush: (topic) => topic.flush(),
  optimize: (topic) => topic.optimize(),
}

/** Adds the verbs that change how the process runs; each use is one line of the log. */
export function addAdmin(server: FastifyInstance, parts: AdminParts): void {
  const guard = new Guard(parts)
  server.register(
    (admin, _, done) => {
      admin.addHook('onRequest', (request, _reply, next) => {
        guard.check(request)
        next()
      })
      admin.setErrorHandler((error, request, reply) => {
        // Of these the guard tells, so that nobody can fill the log.
        if (![401, 429].includes(statusOf(error)))
          parts.log.warn({ ...use(request), error: messageOf(error) }, 'Admin verb refused')
        refuse(error, reply, parts.health)
      })
      admin.setNotFoundHandler((request, reply) => {
        refuse(new Refusal(404, `there is no ${request.method} ${request.url}`), reply, parts.health)
      })
      admin.post<{ Params: { name: string; verb: string } }>(
        '/topics/:name/:verb',
        async (request, reply) => {
          const { name, verb } = request.params
          if (!isVerb(verb))
            throw new Refusal(404, `there is no verb ${verb}: ${Object.keys(VERBS).join(', ')}`)
          const topic = topicOf(name, parts.health)
          const isDone = await carryOut(verb, topic, parts)
          parts.log.info({ ...use(request), topic: topic.topic, verb, done: isDone }, 'Admin verb')
          void reply.code(isDone ? 200 : 202)
          return { topic: topic.name, verb, done: isDone, state: parts.health.stateOf(topic) }
        },
      )
      admin.put('/log-level', (request) => {
        const { level, topic } = levelOf(request.body)
        const run = topic === undefined ? undefined : topicOf(topic, parts.health)
        // Told at whichever of the two levels shows it.
        const tell = (): void =>
          parts.log.warn({ ...use(request), level, topic: run?.topic }, 'Admin verb: the level of the log')
        const isShown = parts.log.isLevelEnabled('warn')
        if (isShown) tell()
        parts.levels.set(level, run?.topic)
        if (!isShown) tell()
        return parts.levels.all
      })
      done()
    },
    { prefix: '/admin' },
  )
}

/** Lets those in who bear the token, so many times a minute. */
class Guard {
  readonly #parts: AdminParts
  readonly #digest: Buffer
  readonly #clock: Clock
  #minute = -1
  #uses = 0
  #strangers = 0

  constructor(parts: AdminParts) {
    this.#parts = parts
    this.#clock = parts.clock ?? systemClock
    this.#digest = digestOf(parts.token)
  }

  check({ headers, ip }: FastifyRequest): void {
    const minute = Math.floor(this.#clock.now() / MINUTE_MS)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#uses = 0
      this.#strangers = 0
    }
    const [, token] = /^Bearer ([\x21-\x7e]+)$/i.exec(headers.authorization ?? '') ?? []
    // Digests have one length, whatever was sent.
    if (token === undefined || !timingSafeEqual(digestOf(token), this.#digest)) {
      if (this.#strangers++ === 0)
        this.#parts.log.warn({ ip }, 'Admin verb refused: no token or a wrong one; told once a minute')
      throw new Refusal(401, 'expected the header Authorization: Bearer <admin.token>')
    }
    if (this.#uses++ < USES_MAX) return
    if (this.#uses === USES_MAX + 1)
      this.#parts.log.warn({ ip }, 'Admin verbs refused: too many; told once a minute')
    throw new Refusal(429, `expected at most ${USES_MAX} verbs a minute`)
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** Whether it was done, rather than goes on. @throws Refusal where the topic cannot do it now */
async function carryOut(
  verb: Verb,
  topic: TopicRun,
  { log, clock = systemClock, health }: AdminParts,
): Promise<boolean> {
  const state = topic.state()
  if (state === 'failed' || state === 'ended')
    throw new Refusal(409, `expected a topic that is carried: ${topic.name} has ${state}`)
  if (verb === 'pause' && state === 'paused') throw new Refusal(409, `${topic.name} is paused already`)
  if (verb === 'resume' && state !== 'paused')
    throw new Refusal(409, `${topic.name} is not paused: it is ${state}`)
  const work = Promise.resolve(VERBS[verb](topic))
  if (verb === 'resume') health.progress(topic.topic).begun()
  const waited = new AbortController()
  const late = clock.sleep(WAIT_MS_MAX, waited.signal).then(
    () => false,
    () => true,
  )
  try {
    const isDone = await Promise.race([work.then(() => true), late])
    if (!isDone) tellEnd(work, { topic: topic.topic, verb }, log)
    return isDone
  } catch (error) {
    const code = error instanceof PipelineError ? error.code : undefined
    throw new Refusal(code === 'KD_COMMAND_INVALID' ? 409 : 500, messageOf(error), code)
  } finally {
    waited.abort()
  }
}

/** Nobody waits any more for what goes on. */
function tellEnd(work: Promise<void>, facts: object, log: Logger): void {
  work.then(
    () => log.info(facts, 'Admin verb: done'),
    (error: unknown) => log.warn({ ...facts, err: error }, `Admin verb: failed: ${messageOf(error)}`),
  )
}

/** By the name of its entry, or by its name in Kafka. */
function topicOf(name: string, { topics }: Health): TopicRun {
  const found = topics.find((topic) => topic.name === name) ?? topics.find((topic) => topic.topic === name)
  if (found === undefined) throw new Refusal(404, `there is no topic ${name}`)
  return found
}

/** Without a level, a topic has that of the process again. */
function levelOf(body: unknown): {
  readonly level: LogLevel | undefined
  readonly topic: string | undefined
} {
  const { level, topic, ...rest } = (body ?? {}) as Readonly<Record<string, unknown>>
  const known = LEVELS.find((each) => each === level)
  const isTopic = typeof topic === 'string'
  const isWhole = (isTopic || topic === undefined) && Object.keys(rest).length === 0
  if (!isWhole || (known === undefined && !(isTopic && level === null)))
    throw new Refusal(
      400,
      `expected {"level": ${LEVELS.join(' | ')}, "topic": a name, or none for all}; the level null takes its own from a topic`,
    )
  return { level: known, topic: isTopic ? topic : undefined }
}

function isVerb(verb: string): verb is Verb {
  return Object.hasOwn(VERBS, verb)
}

function use({ method, url, ip }: FastifyRequest): object {
  return { method, url, ip }
}

function refuse(error: unknown, reply: FastifyReply, health: Health): void {
  const status = statusOf(error)
  if (status === 401) void reply.header('www-authenticate', 'Bearer')
  if (status === 429) void reply.header('retry-after', MINUTE_MS / 1000)
  const code = error instanceof Refusal ? error.code : undefined
  void reply
    .code(status)
    .send({ status, error: health.hide(messageOf(error)), ...(code === undefined ? {} : { code }) })
}

/** Fastify's own refusals, such as of a body that is too large, have theirs. */
function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : 500
  return typeof status === 'number' ? status : 500
}
