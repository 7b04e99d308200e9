import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { PipelineError } from '../../../src/core/errors.ts'
import { startKafka } from '../../../src/local-servers/kafka.ts'
import { startS3, type S3Address } from './s3.ts'
import {
  startAzure,
  startDynamo,
  startGcs,
  type AzureAddress,
  type DynamoAddress,
  type Emulator,
  type GcsAddress,
} from './emulators.ts'
import { AZURE_VARIABLE, BROKERS_VARIABLE, DYNAMO_VARIABLE, GCS_VARIABLE, S3_VARIABLE } from './variables.ts'

let kafka: Promise<string[]> | undefined
let s3: Promise<S3Address> | undefined
let dynamo: Promise<DynamoAddress> | undefined
let azure: Promise<AzureAddress> | undefined
let gcs: Promise<GcsAddress | undefined> | undefined

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

/** The DynamoDB server that all test files of a run share, likewise. Keep to table paths of your own (`nameForTests`). */
export function dynamoForTests(): Promise<DynamoAddress> {
  dynamo ??= sharedEmulator(DYNAMO_VARIABLE, startDynamo)
  return dynamo
}

/** The Blob server that all test files of a run share, likewise. Keep to a prefix of your own (`nameForTests`). */
export function azureForTests(): Promise<AzureAddress> {
  azure ??= sharedEmulator(AZURE_VARIABLE, startAzure)
  return azure
}

/**
 * The Cloud Storage server that all test files of a run share, likewise. It is built with Go, which is no prerequisite:
 * `undefined` where Go is missing, except in a run that sets `CI`, which then fails.
 */
export function gcsForTests(): Promise<GcsAddress | undefined> {
  gcs ??= sharedEmulator(GCS_VARIABLE, startGcs).catch((error: unknown) => {
    if (isMissingOnly(error)) return undefined
    throw error
  })
  return gcs
}

/** Whether a server is missing that a run may do without. */
export function isMissingOnly(error: unknown): boolean {
  const isMissing = error instanceof PipelineError && error.code === 'KD_PREREQUISITE_MISSING'
  return isMissing && (process.env['CI'] ?? '') === ''
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

async function sharedEmulator<T>(variable: string, start: () => Promise<Emulator<T>>): Promise<T> {
  const given = process.env[variable]
  if (given !== undefined && given !== '') return JSON.parse(given) as T
  const emulator = await start()
  stopAtExit(emulator)
  return emulator.address
}

/** An `after` hook would belong to whatever hook or suite asked first, and end the server before other tests. */
function stopAtExit({ pid, dir }: { readonly pid: number; readonly dir: string }): void {
  process.once('exit', () => {
    process.kill(pid, 'SIGKILL')
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })
}
