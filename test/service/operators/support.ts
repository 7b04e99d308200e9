import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../config/load/load.ts'
import type { Config } from '../../../config/types.ts'
import type { DeadLetter } from '../../../src/core/batch.ts'
import { runTopics, type RunOptions } from '../../../src/service/supervision/run-topics.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { sortedRows } from '../../delta/rows-table.ts'
import { LiveSource, LiveTopic } from '../../support/flow/live-source.ts'

/** Topics in memory whose code is in files of a folder of their own. */
export class CodeBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'kafka-delta-code-'))
  readonly topics = new Map<string, LiveTopic>()
  readonly letters: DeadLetter[] = []
  readonly lines: Record<string, unknown>[] = []
  readonly config: Config

  /** The schema of all messages: `id` is an integer, `amount` a number. */
  constructor(
    topics: Readonly<Record<string, object>>,
    files: Readonly<Record<string, string>> = {},
    service: object = {},
  ) {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text)
    const schema = {
      type: 'object',
      required: ['id'],
      properties: { id: { type: 'integer' }, amount: { type: 'number' } },
    }
    writeFileSync(join(this.folder, 'contract.json'), JSON.stringify(schema))
    const entries = Object.entries(topics).map(([name, options]) => [
      name,
      { contract: 'contract.json', table: { uri: `./tables/${name}` }, flush: { ageMs: 50 }, ...options },
    ])
    const file = join(this.folder, 'config.json')
    writeFileSync(
      file,
      JSON.stringify({
        kafka: { brokers: ['127.0.0.1:1'] },
        ...service,
        topics: Object.fromEntries(entries) as object,
      }),
    )
    this.config = loadConfig({ files: [file] })
    for (const { topic } of Object.values(this.config.topics)) this.topics.set(topic, new LiveTopic())
  }

  push(topic: string, values: readonly string[]): void {
    this.topics.get(topic)?.push(values)
  }

  /** Carries all topics until they have caught up. */
  async carry(options: Partial<RunOptions> = {}): Promise<unknown> {
    return await runTopics(this.config, {
      until: 'latest',
      log: createLogger({
        level: 'info',
        pretty: false,
        destination: { write: (line) => void this.lines.push(JSON.parse(line) as Record<string, unknown>) },
      }),
      connectors: {
        source: (source) => new LiveSource(this.topics.get(source.topic) ?? new LiveTopic(), source),
        deadLetters: () => ({
          write: (given) => {
            this.letters.push(...given)
            return Promise.resolve({ written: given.length, skipped: 0 })
          },
          close: () => Promise.resolve(),
        }),
      },
      ...options,
    })
  }

  async rows(name: string): Promise<unknown[]> {
    const store = await openStore(this.config.topics[name]?.table.uri ?? '', {})
    try {
      return (await sortedRows(store)).map((line): unknown => JSON.parse(line))
    } finally {
      await store.close()
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
