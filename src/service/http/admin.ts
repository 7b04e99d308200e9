import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { LogLevel } from '../../../config/logging/types.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { LogLevels } from '../../telemetry/log-levels.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { Health } from '../health/health.ts'
import type { TopicRun } from '../topic/topic-run.ts'
import { AdminToken } from './admin-token.ts'

/** Describes what the admin verbs act on. */
interface AdminOptions {
  readonly token: string
  readonly health: Health
  readonly log: Logger
  /** Log levels of the process and its topics. */
  readonly levels: LogLevels
  readonly clock?: Clock
}

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** Verbs accepted per minute; requests with a wrong token do not count. */
const USES_MAX = 60
const MINUTE_MS = 60_000
/**
 * Longest time that a response waits for a flush or optimize; afterwards the work continues and the response is 202.
 */
const WAIT_MS_MAX = 8_000

/** Reports why a verb is refused, with its HTTP status. */
class Refusal extends Error {
  readonly statusCode: number
  readonly code: string | undefined

  constructor(statusCode: number, message: string, code?: string) {
    super(message)
    this.statusCode = statusCode
    this.code = code
  }
}

type Verb = 'pause' | 'resume' | 'flush' | 'optimize' | 'restart'

/** Carries out each verb; a verb that resolves to a reason could not do everything. */
const VERBS: Readonly<Record<Verb, (topic: TopicRun) => unknown>> = {
  pause: ({ control }) => control.pause(),
  resume: ({ control }) => control.resume(),
  flush: ({ control }) => control.flush(),
  optimize: ({ control }) => control.optimize(),
  restart: ({ control }) => control.restart(),
}

/** Adds the admin routes, which change how the process runs. Each use is logged once. */
export function addAdminRoutes(server: FastifyInstance, options: AdminOptions): void {
  const guard = new Guard(options)
  server.register(
    (admin, _, done) => {
      admin.addHook('onRequest', (request, _reply, next) => {
        guard.check(request)
        next()
      })
      admin.setErrorHandler((error, request, reply) => {
        // The guard logs these once per minute, so that callers cannot fill the log.
        if (![401, 429].includes(httpStatusOf(error)))
          options.log.warn(
            { ...requestFields(request), error: messageOf(error) },
            'Admin verb refused: nothing was changed',
          )
        refuse(error, reply, options.health)
      })
      // The token proves that the caller is a program, so the content type does not matter; curl sends that of forms.
      admin.removeAllContentTypeParsers()
      admin.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, parsed) => {
        try {
          parsed(null, parseBody(String(body)))
        } catch (error) {
          parsed(error as Refusal)
        }
      })
      admin.setNotFoundHandler((request, reply) => {
        refuse(new Refusal(404, `there is no ${request.method} ${request.url}`), reply, options.health)
      })
      admin.post<{ Params: { name: string; verb: string } }>(
        '/topics/:name/:verb',
        async (request, reply) => {
          const { name, verb } = request.params
          if (!isVerb(verb))
            throw new Refusal(404, `there is no verb ${verb}: ${Object.keys(VERBS).join(', ')}`)
          const topic = findTopic(name, options.health)
          const { isDone, reason } = await runVerb(verb, topic, options)
          options.log.info(
            { ...requestFields(request), topic: topic.topic, verb, done: isDone, reason },
            isDone ? 'Admin verb carried out' : 'Admin verb accepted: not everything is done yet',
          )
          void reply.code(isDone ? 200 : 202)
          return {
            topic: topic.name,
            verb,
            done: isDone,
            state: options.health.stateOf(topic),
            ...(reason === undefined ? {} : { reason: options.health.hide(reason) }),
          }
        },
      )
      admin.put('/log-level', (request) => {
        const { level, topic } = parseLogLevelChange(request.body)
        const run = topic === undefined ? undefined : findTopic(topic, options.health)
        // Logged before or after the change, whichever level shows it.
        const logChange = (): void =>
          options.log.warn(
            { ...requestFields(request), level, topic: run?.topic },
            'Admin verb carried out: log level changed',
          )
        const isShown = options.log.isLevelEnabled('warn')
        if (isShown) logChange()
        options.levels.set(level, run?.topic)
        if (!isShown) logChange()
        return options.levels.current
      })
      done()
    },
    { prefix: '/admin' },
  )
}

/** Admits requests that carry the admin token, up to a limit per minute. */
class Guard {
  readonly #options: AdminOptions
  readonly #token: AdminToken
  readonly #clock: Clock
  #minute = -1
  #uses = 0
  #unauthorized = 0

  constructor(options: AdminOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#token = new AdminToken(options.token)
  }

  check({ headers, ip }: FastifyRequest): void {
    const minute = Math.floor(this.#clock.now() / MINUTE_MS)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#uses = 0
      this.#unauthorized = 0
    }
    if (!this.#token.matches(headers.authorization)) {
      if (this.#unauthorized++ === 0)
        this.#options.log.warn(
          { ip },
          'Admin verb refused: no token or a wrong token; logged once per minute',
        )
      throw new Refusal(401, 'expected the header Authorization: Bearer <admin.token>')
    }
    if (this.#uses++ < USES_MAX) return
    if (this.#uses === USES_MAX + 1)
      this.#options.log.warn({ ip }, 'Admin verbs refused: too many requests; logged once per minute')
    throw new Refusal(429, `expected at most ${USES_MAX} verbs per minute`)
  }
}

/** Describes how far a verb got while its response waited. */
interface VerbOutcome {
  readonly isDone: boolean
  /** States why it is not done. */
  readonly reason?: string
}

/**
 * Runs a verb, which may continue in the background.
 * @throws Refusal when the topic's state does not allow the verb
 */
async function runVerb(
  verb: Verb,
  topic: TopicRun,
  { log, clock = systemClock, health }: AdminOptions,
): Promise<VerbOutcome> {
  const state = topic.status.state
  if (state === 'ended' || (state === 'failed' && verb !== 'restart'))
    throw new Refusal(409, `expected a running topic: ${topic.name} has ${state}${failureOf(topic)}`)
  if (verb === 'restart' && health.stateOf(topic) === 'waiting')
    throw new Refusal(409, `${topic.name} continues by itself: ${pendingReason(topic, health)}`)
  if (verb === 'pause' && state === 'paused') throw new Refusal(409, `${topic.name} is already paused`)
  if (verb === 'resume' && state !== 'paused')
    throw new Refusal(409, `${topic.name} is not paused: it is ${state}`)
  const work = Promise.resolve().then(() => VERBS[verb](topic))
  if (verb === 'resume') health.progressOf(topic.name).markStarted()
  const waited = new AbortController()
  const late = clock.sleep(WAIT_MS_MAX, waited.signal).then(
    () => undefined,
    () => undefined,
  )
  try {
    const outcome = await Promise.race([work.then(outcomeOf), late])
    if (outcome !== undefined) return outcome
    logEnd(work, { topic: topic.topic, verb }, log)
    return { isDone: false, reason: pendingReason(topic, health) }
  } catch (error) {
    const code = error instanceof PipelineError ? error.code : undefined
    throw new Refusal(code === 'KD_COMMAND_INVALID' ? 409 : 500, messageOf(error), code)
  } finally {
    waited.abort()
  }
}

function outcomeOf(result: unknown): VerbOutcome {
  return typeof result === 'string' ? { isDone: false, reason: result } : { isDone: true }
}

/** Returns why a topic has not finished a verb: its state, the servers that it waits for, and the reason. */
function pendingReason(topic: TopicRun, health: Health): string {
  const { state, waitsFor, reason } = health.listed(topic)
  if (state === 'running' || state === 'paused') return 'it is still running'
  const what = waitsFor === undefined ? `it is ${state}` : `it waits for ${waitsFor.join(', ')}`
  return reason === undefined ? what : `${what}: ${reason}`
}

function failureOf({ status: { failure } }: TopicRun): string {
  return failure === undefined ? '' : `: ${failure.message}`
}

/** Logs how a verb ended after its response was sent. */
function logEnd(work: Promise<unknown>, facts: object, log: Logger): void {
  work.then(
    (result) => log.info({ ...facts, ...outcomeOf(result) }, 'Admin verb finished'),
    (error: unknown) => log.warn({ ...facts, err: error }, `Admin verb failed: ${messageOf(error)}`),
  )
}

/** Returns the topic with this entry name, or with this name in Kafka. */
function findTopic(name: string, { topics }: Health): TopicRun {
  const found = topics.find((topic) => topic.name === name) ?? topics.find((topic) => topic.topic === name)
  if (found === undefined) throw new Refusal(404, `there is no topic ${name}`)
  return found
}

/** Parses the body of `PUT /admin/log-level`. The level null makes a topic follow the level of the process again. */
function parseLogLevelChange(body: unknown): {
  readonly level: LogLevel | undefined
  readonly topic: string | undefined
} {
  const { level, topic, ...rest } = (body ?? {}) as Readonly<Record<string, unknown>>
  const known = LEVELS.find((each) => each === level)
  const isTopic = typeof topic === 'string'
  const isValid = (isTopic || topic === undefined) && Object.keys(rest).length === 0
  if (!isValid || (known === undefined && !(isTopic && level === null)))
    throw new Refusal(
      400,
      `expected {"level": ${LEVELS.join(' | ')}, "topic": a name; without it all topics}; level null resets the level of a topic`,
    )
  return { level: known, topic: isTopic ? topic : undefined }
}

/** Parses a request body as JSON; an empty one is none. */
function parseBody(text: string): unknown {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Refusal(400, `expected a body in JSON: ${messageOf(error)}`)
  }
}

function isVerb(verb: string): verb is Verb {
  return Object.hasOwn(VERBS, verb)
}

function requestFields({ method, url, ip }: FastifyRequest): object {
  return { method, url, ip }
}

function refuse(error: unknown, reply: FastifyReply, health: Health): void {
  const status = httpStatusOf(error)
  if (status === 401) void reply.header('www-authenticate', 'Bearer')
  if (status === 429) void reply.header('retry-after', MINUTE_MS / 1000)
  const code = error instanceof Refusal ? error.code : undefined
  void reply
    .code(status)
    .send({ status, error: health.hide(messageOf(error)), ...(code === undefined ? {} : { code }) })
}

/** Returns the HTTP status of an error; errors of Fastify, such as a body that is too large, carry their own. */
function httpStatusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : 500
  return typeof status === 'number' ? status : 500
}
