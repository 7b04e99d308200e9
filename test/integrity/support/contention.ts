import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { readRowLines } from '../../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import type { S3Address } from '../../support/servers/s3.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { programOf } from '../../support/program.ts'

/** What one process is told. */
export interface Contender {
  readonly role: 'append' | 'optimize'
  readonly worker: number
  readonly uri: string
  readonly s3: object
  readonly contract: string
  /** Records of a commit. */
  readonly burst: number
  readonly ms: number
}

/** What one process did. */
export interface Contended {
  readonly worker: number
  /** Rows appended: `n` from 0 on. */
  readonly rows: number
  /** Puts of each commit. */
  readonly attempts: readonly number[]
  readonly packed?: Readonly<Record<'runs' | 'commits' | 'filesRemoved' | 'filesAdded' | 'givenUp', number>>
}

/** How it all ended. */
export interface Contention {
  readonly seconds: number
  readonly appends: number
  readonly rows: number
  /** Rows that are not in the table, and rows that are there more often than once. */
  readonly lost: number
  readonly twice: number
  /** Processes that ended with an error, by their last words. */
  readonly aborted: readonly string[]
  readonly versions: bigint
  /** Puts of a commit of an append. */
  readonly attempts: { readonly mean: number; readonly p99: number; readonly max: number }
  readonly packed: Contended['packed']
}

const properties = { worker: { type: 'integer' }, n: { type: 'integer' } }
const CONTRACT = { type: 'object', required: ['worker', 'n'], properties }

/** Lets `workers` processes append to one table on S3 while another optimizes it without end; then counts the rows. */
export async function contend(options: {
  readonly s3: S3Address
  readonly prefix: string
  readonly workers: number
  readonly ms: number
  readonly burst?: number
  readonly say?: (line: string) => void
}): Promise<Contention> {
  const { s3: address, prefix, workers, ms, burst = 100, say = () => undefined } = options
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = address
  const s3 = { endpoint, region, accessKeyId, secretAccessKey, forcePathStyle: true }
  const uri = `s3://${bucket}/${prefix}`
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-contend-'))
  const processes: Running[] = []
  try {
    const contract = join(folder, 'contract.json')
    await writeFile(contract, JSON.stringify(CONTRACT))
    const told = { uri, s3, contract, burst, ms }
    for (let worker = 0; worker <= workers; worker++)
      processes.push(startContender({ ...told, worker, role: worker === workers ? 'optimize' : 'append' }))
    await Promise.all(processes.map(({ ready }) => ready))
    say(`${workers} workers and one that optimizes begin, for ${ms / 1000} s`)
    // The first of them creates the table, so the one that optimizes waits until it is there.
    for (const one of processes.slice(0, -1)) one.begin()
    await Promise.race([existing(uri, s3), ...processes.map(({ ended }) => ended)])
    processes.at(-1)?.begin()
    const ends = await Promise.all(processes.map(({ ended }) => ended))
    const done = ends.flatMap((end) => (typeof end === 'string' ? [] : [end]))
    const aborted = ends.flatMap((end) => (typeof end === 'string' ? [end] : []))
    return { seconds: ms / 1000, aborted, ...(await count(uri, s3, done)), ...summary(done) }
  } finally {
    for (const one of processes) one.kill()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The report in lines. */
export function contentionText(found: Contention): string {
  const { attempts, packed } = found
  return [
    `${found.appends} appends of ${found.rows} rows in ${found.seconds} s, ${found.versions} versions`,
    `lost ${found.lost}, twice ${found.twice}, appends aborted ${found.aborted.length}`,
    `commit attempts: mean ${attempts.mean.toFixed(2)}, p99 ${attempts.p99}, max ${attempts.max}`,
    `optimize: ${JSON.stringify(packed)}`,
    ...found.aborted,
  ].join('\n')
}

interface Running {
  readonly ready: Promise<void>
  begin(): void
  kill(): void
  /** What it did, or its last words. */
  readonly ended: Promise<Contended | string>
}

function startContender(contender: Contender): Running {
  const program = join(import.meta.dirname, 'contender.ts')
  const child = spawn(process.execPath, [...programOf(program), JSON.stringify(contender)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  })
  // One that is gone before it begins shows by how it ended.
  child.stdin.on('error', () => undefined)
  const lines: string[] = []
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (words = (words + piece).slice(-2_000)))
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      resolve()
    })
    child.once('close', () => resolve())
  })
  const ended = new Promise<Contended | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      const last = lines[1]
      resolve(
        code === 0 && last !== undefined
          ? (JSON.parse(last) as Contended)
          : `worker ${contender.worker}: ${words}`,
      )
    })
  })
  return {
    ready,
    ended,
    begin: () => void child.stdin.write('begin\n'),
    kill: () => void child.kill('SIGKILL'),
  }
}

async function existing(uri: string, s3: object): Promise<void> {
  const store = await openStore(uri, { s3 })
  try {
    for (let tries = 0; tries < 600; tries++) {
      for await (const { key } of store.list('_delta_log/')) if (key.endsWith('.json')) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error(`no table at ${uri} after a minute`)
  } finally {
    await store.close()
  }
}

async function count(
  uri: string,
  s3: object,
  done: readonly Contended[],
): Promise<Pick<Contention, 'rows' | 'lost' | 'twice' | 'versions'>> {
  const store = await openStore(uri, { s3 })
  try {
    const snapshot = await loadSnapshot(store)
    const seen = new Set<string>()
    let found = 0
    for await (const line of readRowLines(store, snapshot)) {
      found++
      seen.add(line)
    }
    let lost = 0
    for (const { worker, rows } of done)
      for (let n = 0; n < rows; n++) if (!seen.has(`{"worker":${worker},"n":${n}}\n`)) lost++
    return { rows: found, lost, twice: found - seen.size, versions: snapshot.version + 1n }
  } finally {
    await store.close()
  }
}

function summary(done: readonly Contended[]): Pick<Contention, 'appends' | 'attempts' | 'packed'> {
  const attempts = done.flatMap((one) => one.attempts).sort((a, b) => a - b)
  const sum = attempts.reduce((total, one) => total + one, 0)
  return {
    appends: attempts.length,
    attempts: {
      mean: attempts.length === 0 ? 0 : sum / attempts.length,
      p99: attempts[Math.max(0, Math.ceil(attempts.length * 0.99) - 1)] ?? 0,
      max: attempts.at(-1) ?? 0,
    },
    packed: done.find((one) => one.packed !== undefined)?.packed,
  }
}
