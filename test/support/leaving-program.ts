// A process that leaves as the service does: by what its argument says, `throw`, `reject`, or `wait` for signals.
import { Leaving } from '../../src/service/process/shutdown.ts'
import { createLogger } from '../../src/telemetry/log.ts'

const [how, deadlineMs = '60000'] = process.argv.slice(2)
const leaving = new Leaving(Number(deadlineMs), createLogger({ level: 'info', pretty: false }))
// Keeps the process there, as a topic does that is not drained.
setInterval(() => undefined, 1_000)
leaving.impatient.addEventListener('abort', () => process.stderr.write('impatient\n'))
process.stderr.write('ready\n')
if (how === 'throw') {
  setImmediate(() => {
    throw new Error('nobody expects this')
  })
}
if (how === 'reject') void Promise.reject(new Error('nobody expects this'))
