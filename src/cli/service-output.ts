import { type Command, CommanderError } from 'commander'
import { configFaultsOf } from '../../config/load/faults.ts'
import { isUnexpectedError, messageOf, PipelineError } from '../core/errors.ts'
import { createLogger, type Logger } from '../telemetry/log.ts'
import { logProcessOutput } from '../telemetry/process-output.ts'
import { EXIT } from '../service/process/exit-codes.ts'

/**
 * Writes to the log everything that is printed before the service has its own log: faults of the command line and of the
 * configuration, uncaught errors, warnings of Node.js and output of libraries.
 */
export class ServiceOutput {
  readonly #log: Logger

  constructor(log: Logger = createLogger({ level: 'info', pretty: false })) {
    this.#log = log
  }

  /** Takes over the output of the process and of the command line. */
  install(program: Command): void {
    logProcessOutput(this.#log)
    // The message is in the error that ends the command.
    program.configureOutput({ writeErr: () => undefined, outputError: () => undefined })
    process.on('uncaughtException', (thrown) => {
      // While the service runs, it has a handler of its own.
      if (process.listenerCount('uncaughtException') > 1) return
      this.report(thrown)
      process.exit(EXIT.uncaught)
    })
  }

  /** Writes an error that ends the command before the service runs; each fault of a configuration is a line of its own. */
  report(thrown: unknown): void {
    const faults = configFaultsOf(thrown)
    for (const { text: fault, key, topic } of faults)
      this.#log.error(
        { code: 'KD_CONFIG_INVALID', key, topic, fault },
        `The configuration has a fault, the service does not start: ${fault}`,
      )
    if (faults.length > 0) return
    if (thrown instanceof CommanderError) {
      const fault = thrown.message.replace(/^error: /, '')
      this.#log.error(
        { code: 'KD_COMMAND_INVALID', fault },
        `The command line has a fault, the service does not start: ${fault}; --help shows options and examples`,
      )
      return
    }
    const code = thrown instanceof PipelineError ? thrown.code : undefined
    const topic = thrown instanceof PipelineError ? thrown.context['topic'] : undefined
    this.#log[isUnexpectedError(thrown) ? 'fatal' : 'error'](
      { code, topic, err: thrown },
      `The service does not start: ${messageOf(thrown)}`,
    )
  }
}
