import type { Clock } from '../../core/clock.ts'
import type { Credit } from '../../core/credit/credit.ts'

/**
 * Takes `bytes` of credit while heartbeats go on. `false` when `signal` aborted first; then nothing is held.
 * Rejects with the heartbeat's error (the group rebalances, the member was lost), holding nothing.
 */
export async function creditWithHeartbeats(
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

/** Heartbeats until `ended`; rejects when one fails. */
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
