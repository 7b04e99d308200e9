// Shuts down as the service does. The argument says what happens: `throw`, `reject`, or `wait` for signals.
import { GracefulShutdown } from '../../src/service/process/shutdown.ts'
import { createLogger } from '../../src/telemetry/log.ts'

const [how, deadlineMs = '60000'] = process.argv.slice(2)
const shutdown = new GracefulShutdown(Number(deadlineMs), createLogger({ level: 'info', pretty: false }))
// Keeps the process running, as a topic that has not drained does.
setInterval(() => undefined, 1_000)
shutdown.stopWaitingSignal.addEventListener('abort', () => process.stderr.write('stopped waiting\n'))
process.stderr.write('ready\n')
if (how === 'throw') {
  setImmediate(() => {
    throw new Error('an unexpected error')
  })
}
if (how === 'reject') void Promise.reject(new Error('an unexpected error'))
