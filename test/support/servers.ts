import { randomUUID } from 'node:crypto'
import { after } from 'node:test'
import { startKafka } from '../../src/servers/kafka.ts'
import { startS3, type S3Address } from '../../src/servers/s3.ts'
import { BROKERS_VARIABLE, S3_VARIABLE } from './variables.ts'

let kafka: Promise<string[]> | undefined
let s3: Promise<S3Address> | undefined

/**
 * The brokers that all test files of a run share; a file that runs alone starts its own, stopped after it.
 * Call it at the top level of a test file or in a `before` hook. Create topics with names of your own.
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
  const starting = startKafka()
  after(async () => (await starting).stop())
  return (await starting).brokers
}

async function sharedS3(): Promise<S3Address> {
  const given = process.env[S3_VARIABLE]
  if (given !== undefined && given !== '') return JSON.parse(given) as S3Address
  const starting = startS3()
  after(async () => (await starting).stop())
  return starting
}
