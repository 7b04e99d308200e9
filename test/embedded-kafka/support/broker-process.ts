import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { EmbeddedKafkaOptions } from '../../../src/embedded-kafka/embedded-kafka.ts'
import { programOf } from '../../support/program.ts'

/** An embedded broker in a process of its own. */
export interface BrokerProcess {
  readonly brokers: string[]
  /** Ends it as its user would; throws if it reported errors. */
  stop(): Promise<void>
  /** Ends it by SIGKILL. */
  kill(): Promise<void>
}

/** Starts an embedded broker in a process of its own. */
export async function startBrokerProcess(
  options: Pick<EmbeddedKafkaOptions, 'port' | 'folder' | 'bytesMax' | 'fsync'> = {},
): Promise<BrokerProcess> {
  const program = join(import.meta.dirname, 'broker-program.ts')
  const child = spawn(process.execPath, [...programOf(program), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-10_000)))
  child.stdin.on('error', () => undefined)
  const closed = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  const brokers = await new Promise<string[]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => reject(new Error(`The broker ended before it started: ${errors}`)))
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line) as string[]))
  })
  return {
    brokers,
    stop: async () => {
      child.stdin.end()
      const code = await closed
      if (code !== 0 || errors !== '') throw new Error(`The broker ended with ${code}: ${errors}`)
    },
    kill: async () => {
      child.kill('SIGKILL')
      await closed
    },
  }
}
