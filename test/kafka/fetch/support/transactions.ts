import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from '@node-rs/crc32'
import { keyOf, valueOf, type Raw } from '../../../../src/core/raw.ts'
import type { Isolation } from '../../../../src/kafka/records/read-records.ts'
import { fetchJars, javaCommand } from '../../../../src/local-servers/maven.ts'

const PROGRAM = join(import.meta.dirname, 'Transactions.java')
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024

/** The records that Java producers wrote, as the Java consumer reads them. */
export interface WrittenByJava {
  /** Records as `offset timestamp checksum`, by isolation and partition. */
  readonly seen: Readonly<Record<Isolation, readonly (readonly string[])[]>>
  /** End offset of each partition. */
  readonly ends: readonly bigint[]
}

/** Writes to a topic with transactional Java producers, and reads it with the Java consumer. */
export async function writeByJava(
  broker: string,
  topic: string,
  partitions: number,
  seed: number,
  steps: number,
): Promise<WrittenByJava> {
  const args = [
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Xmx256m',
    '-cp',
    join(await fetchJars('kafka'), '*'),
  ]
  const asked = [PROGRAM, broker, topic, ...[partitions, seed, steps].map(String)]
  const { stdout } = await promisify(execFile)(javaCommand(), [...args, ...asked], {
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  const none = (): string[][] => Array.from({ length: partitions }, () => [])
  const seen = { read_committed: none(), read_uncommitted: none() }
  const ends: bigint[] = []
  for (const line of stdout.trim().split('\n')) {
    const [kind = '', partition = '', ...rest] = line.split(' ')
    if (kind === 'end') ends[Number(partition)] = BigInt(rest[0] ?? '')
    else seen[kind as Isolation][Number(partition)]?.push(rest.join(' '))
  }
  return { seen, ends }
}

/** The records of a batch as `offset timestamp checksum`. */
export function linesOf(raw: Raw): string[] {
  return Array.from(raw.offsets, (offset, i) => {
    let sum = add(0, keyOf(raw, i))
    sum = add(sum, valueOf(raw, i))
    for (const [name, value] of Object.entries(raw.headers?.[i] ?? {})) {
      sum = add(sum, Buffer.from(name))
      sum = add(sum, value as Uint8Array)
    }
    return `${offset} ${raw.timestampsMs[i]} ${sum.toString(16)}`
  })
}

function add(sum: number, part: Uint8Array | undefined): number {
  const marked = crc32(Buffer.from([part === undefined ? 1 : 0]), sum)
  return part === undefined ? marked : crc32(part, marked)
}
