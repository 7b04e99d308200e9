import type { ConsoleSnapshot } from '../../console/snapshot.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'

const ANSWER_MS_MAX = 10_000

/** Names a service and the token that it may ask for. */
export interface SnapshotRequest {
  readonly base: string
  readonly token: string | undefined
  readonly topic: string | undefined
}

/**
 * Requests a snapshot of a running service.
 * @throws KD_COMMAND_INVALID when the service does not answer, wants another token, or has no console
 */
export async function requestSnapshot({ base, token, topic }: SnapshotRequest): Promise<ConsoleSnapshot> {
  const url = new URL('/console/snapshot', base)
  if (topic !== undefined) url.searchParams.set('topic', topic)
  const response = await answerOf(url, token)
  if (response.status === 401)
    throw refusal(`${base} wants its admin token: set KAFKA_DELTA_ADMIN_TOKEN or admin.token in --config`)
  if (response.status === 404)
    throw refusal(
      `${base} has no console: http.console is false there, or it is not a service of this version`,
    )
  if (!response.ok)
    throw refusal(`${base} answered ${response.status}: ${(await response.text()).slice(0, 300)}`)
  return (await response.json()) as ConsoleSnapshot
}

async function answerOf(url: URL, token: string | undefined): Promise<Response> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  try {
    return await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS_MAX) })
  } catch (error) {
    // fetch rejects with "fetch failed"; the cause has the reason.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    throw refusal(
      `${url.origin} does not answer: ${messageOf(cause)}; is the service running, and is http.port set to this port?`,
    )
  }
}

function refusal(detail: string): PipelineError {
  return new PipelineError('KD_COMMAND_INVALID', detail)
}
