import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { startKafka } from '../../src/servers/kafka.ts'
import { startS3, type S3Address } from '../../src/servers/s3.ts'
import { BROKERS_VARIABLE, S3_VARIABLE } from './variables.ts'

let kafka: Promise<string[]> | undefined
let s3: Promise<S3Address> | undefined

/**
 * The brokers that all test files of a run share; a file that runs alone starts its own, stopped after it.
 * Create topics with names of your own (`nameForTests`).
 */
export function kafkaForTests(): Promise<string[]> {
  kafka ??= sharedKafka()
  return kafka
}

/** The S3 server that all test files of a run share, likewise. Keep to a prefix of your own (`nameForTests`). */
export function s3ForTests(): Promise<S3Address> {
  s3 ??= sharedS3()
  return s3
}

/** A name that no other test uses: for topics, groups and prefixes. */
export function nameForTests(what: string): string {
  return `${what}-${randomUUID().slice(0, 8)}`
}

async function sharedKafka(): Promise<string[]> {
  const given = process.env[BROKERS_VARIABLE]
  if (given !== undefined && given !== '') return given.split(',')
  const server = await startKafka()
  stopAtExit(server)
  return server.brokers
}

async function sharedS3(): Promise<S3Address> {
  const given = process.env[S3_VARIABLE]
  if (given !== undefined && given !== '') return JSON.parse(given) as S3Address
  const server = await startS3()
  stopAtExit(server)
  return server
}

/** An `after` hook would belong to whatever hook or suite asked first, and end the server before other tests. */
function stopAtExit({ pid, dir }: { readonly pid: number; readonly dir: string }): void {
  process.once('exit', () => {
    process.kill(pid, 'SIGKILL')
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })
}
