// One process of many on one table: appends by the service's own pipeline, or optimizes without end. Begins at the first
// line of its standard input, ends after the time given, and prints what it did as JSON.
import { once } from 'node:events'
import { optimizeTable } from '../../../src/delta/maintenance/optimize.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { startService } from '../../support/service.ts'
import type { Contender, Contended } from './contention.ts'

const contender = JSON.parse(process.argv[2] ?? '') as Contender
const { ms, role } = contender

process.stdout.write('ready\n')
await once(process.stdin, 'data')
const contended = role === 'append' ? await append(contender) : await pack(contender)
process.stdout.write(`${JSON.stringify(contended)}\n`)
process.stdin.destroy()

async function append({ uri, s3, worker, contract, burst }: Contender): Promise<Contended> {
  const service = startService({
    uri,
    appId: `worker-${worker}`,
    flushCount: burst,
    storage: { s3 },
    more: { contract, kafkaColumns: false },
  })
  const untilMs = Date.now() + ms
  let rows = 0
  try {
    while (Date.now() < untilMs) {
      service.push(Array.from({ length: burst }, (_, index) => ({ worker, n: rows + index })))
      rows += burst
      await service.settled()
    }
  } catch {
    // `stop` throws what ended the service.
  }
  const { commits } = await service.stop()
  return { worker, rows, attempts: commits.map((commit) => commit.attempts) }
}

async function pack({ uri, s3, worker }: Contender): Promise<Contended> {
  const store = await openStore(uri, { s3 })
  const untilMs = Date.now() + ms
  const done = { runs: 0, commits: 0, filesRemoved: 0, filesAdded: 0, givenUp: 0 }
  try {
    while (Date.now() < untilMs) {
      const { commits, numRemovedFiles, numAddedFiles, givenUp } = await optimizeTable(store)
      done.runs++
      done.commits += commits
      done.filesRemoved += numRemovedFiles
      done.filesAdded += numAddedFiles
      done.givenUp += givenUp.length
    }
  } finally {
    await store.close()
  }
  return { worker, rows: 0, attempts: [], packed: done }
}
