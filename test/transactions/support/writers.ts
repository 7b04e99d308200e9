import { join } from 'node:path'
import { fetchJars, javaCommand } from '../../../src/local-servers/maven.ts'
import type { Isolation } from '../../../src/kafka/records/read-records.ts'
import { hasPython, pythonWithProducers } from '../../e2e/support/python.ts'
import { startDialogue } from './dialogue.ts'

/** The records of a topic, as Kafka's own consumer reads them. */
export interface JavaReading {
  /** Records as `lineOf` writes them, by isolation and partition. */
  readonly seen: Readonly<Record<Isolation, readonly (readonly string[])[]>>
  /** End offset of each partition, by isolation. */
  readonly ends: Readonly<Record<Isolation, readonly bigint[]>>
}

/** What is written to a topic. */
export interface Writing {
  readonly partitions: number
  readonly seed: number
  /** Steps of the Java producers, each of about five records. */
  readonly steps: number
  /** Java producers that keep a transaction open until `finish`. */
  readonly open?: number
  /** Transactions of the librdkafka producers; none by default. */
  readonly transactions?: number
}

/** Programs with producers of Java and librdkafka and with Java's consumer, which serve any number of topics. */
export interface Writers {
  /** True if there is a Python for librdkafka; otherwise only Java writes. */
  readonly hasLibrdkafka: boolean
  /** Writes to a topic with all producers at once. */
  write(topic: string, writing: Writing): Promise<void>
  /** Ends the transactions that were kept open. */
  finish(topic: string): Promise<void>
  /** Reads a topic with Java's consumer, once all ended transactions are visible. */
  read(topic: string, partitions: number): Promise<JavaReading>
  close(): Promise<void>
}

/** Starts the programs; `version` is that of Java's clients, by default that of the local broker. */
export async function startWriters(broker: string, version?: string): Promise<Writers> {
  const jars = join(await fetchJars('kafka', undefined, version), '*')
  const jvm = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx400m', '-cp', jars]
  const file = (name: string): string => join(import.meta.dirname, name)
  const java = startDialogue(javaCommand(), [
    ...jvm,
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
    file('Transactions.java'),
    broker,
  ])
  const python = (await hasPython())
    ? startDialogue(await pythonWithProducers(), [file('transactional.py'), broker])
    : undefined
  return {
    hasLibrdkafka: python !== undefined,
    write: async (topic, { partitions, seed, steps, open = 0, transactions = 0 }) => {
      await Promise.all([
        java.ask(['write', topic, partitions, seed, steps, open].join(' ')),
        transactions > 0 ? python?.ask([topic, partitions, seed, transactions].join(' ')) : undefined,
      ])
    },
    finish: async (topic) => {
      await java.ask(`finish ${topic}`)
    },
    read: async (topic, partitions) => readingOf(await java.ask(`read ${topic} ${partitions}`), partitions),
    close: async () => {
      await Promise.all([java.close(), python?.close()])
    },
  }
}

function readingOf(lines: readonly string[], partitions: number): JavaReading {
  const none = (): string[][] => Array.from({ length: partitions }, () => [])
  const seen = { read_committed: none(), read_uncommitted: none() }
  const ends = { read_committed: [] as bigint[], read_uncommitted: [] as bigint[] }
  for (const line of lines) {
    const [kind = '', ...rest] = line.split(' ')
    if (kind === 'end') ends[rest[0] as Isolation][Number(rest[1])] = BigInt(rest[2] ?? '')
    else seen[kind as Isolation][Number(rest[0])]?.push(rest.slice(1).join(' '))
  }
  return { seen, ends }
}
