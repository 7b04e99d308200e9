import type { Clock } from '../../core/clock.ts'
import type { Credit } from '../../core/credit/credit.ts'

/**
 * Takes `bytes` of credit and sends heartbeats while it waits. Returns `false`, holding nothing, if `signal` aborted first.
 * Rejects, holding nothing, with the error of a heartbeat (the group rebalances, or the member was removed).
 */
export async function takeCreditWithHeartbeats(
  credit: Credit,
  bytes: number,
  wait: { heartbeat: () => Promise<void>; heartbeatMs: number; clock: Clock; signal: AbortSignal },
): Promise<boolean> {
  if (wait.signal.aborted) return false
  if (credit.tryTake(bytes)) return true
  const giveUp = new AbortController()
  const abort = (): void => {
    giveUp.abort()
  }
  wait.signal.addEventListener('abort', abort, { once: true })
  const ended = new AbortController()
  const taken = credit.take(bytes, giveUp.signal).then(
    () => true,
    () => false,
  )
  try {
    await Promise.race([taken, beat(wait, giveUp.signal, ended.signal)])
  } catch (error) {
    giveUp.abort()
    // The credit may have been granted in the same turn.
    if (await taken) credit.give(bytes)
    throw error
  } finally {
    ended.abort()
    wait.signal.removeEventListener('abort', abort)
  }
  return taken
}

/** Sends heartbeats until one of `signals` aborts; rejects when a heartbeat fails. */
async function beat(
  wait: { heartbeat: () => Promise<void>; heartbeatMs: number; clock: Clock },
  ...signals: AbortSignal[]
): Promise<void> {
  const over = AbortSignal.any(signals)
  for (;;) {
    const slept = await wait.clock.sleep(wait.heartbeatMs / 2, over).then(
      () => true,
      () => false,
    )
    if (!slept || over.aborted) return
    await wait.heartbeat()
  }
}
