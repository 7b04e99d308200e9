import type { Circuit } from '../../core/circuit.ts'
import type { Logger } from '../../telemetry/log.ts'

/** Logs a change of a circuit in one line for the whole process, with the server, the reason and what follows. */
export function logCircuitChange(circuit: Circuit, log: Logger): void {
  const { kind, name, state, openedCount: opened, reason, code, trialAtMs } = circuit
  const trialAt = trialAtMs === undefined ? {} : { trialAt: new Date(trialAtMs).toISOString() }
  const fields = { kind, name, opened, reason, code, ...trialAt }
  const because = reason === undefined ? '' : `: ${reason}`
  if (kind === 'kafka') {
    if (state === 'open')
      log.warn(fields, `Circuit opened for ${name}: all topics wait until a Kafka broker answers${because}`)
    // The first response after the start is no recovery.
    else if (opened > 0) log.info(fields, `Circuit ${state} for ${name}: a Kafka broker answers`)
    else log.debug(fields, `Circuit ${state} for ${name}`)
  } else if (state === 'open')
    log.warn(fields, `Circuit opened for ${name}: topics using it are paused${because}`)
  else if (state === 'half-open') log.info(fields, `Circuit half-open for ${name}: sending a trial request`)
  else log.info(fields, `Circuit closed for ${name}: topics using it resume`)
}
