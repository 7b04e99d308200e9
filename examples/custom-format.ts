/**
 * A custom format: log lines as `key=value` pairs, such as `level=info at=2026-03-01T10:00:00Z msg="all is
 * well"`. A format decodes bytes to objects; contract, columns and dead letters work as with any other
 * format.
 *
 * In your own project, import from 'kafka-delta'.
 */
import { lastValueFrom, toArray } from 'rxjs'
import {
  createTable,
  Credit,
  deadLetterOf,
  loadContract,
  messageOf,
  openTableWriter,
  pipeline,
  tableExists,
  valueOf,
  type PipelineCommit,
  type DeadLetter,
  type DeadLetterSink,
  type Decoded,
  type Format,
  type Raw,
  type Row,
  type Source,
  type Store,
  type TableWriter,
} from '../src/index.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Decodes `key=value` pairs. A value with spaces is in double quotes, in which `\` escapes the next character. */
export const logfmt: Format = {
  name: 'logfmt',
  decode(raw: Raw): Decoded {
    const objects: Row[] = []
    const records: number[] = []
    const deadLetters: DeadLetter[] = []
    let tombstones = 0
    for (let i = 0; i < raw.count; i++) {
      const value = valueOf(raw, i)
      if (value === undefined) tombstones++
      else {
        try {
          objects.push(pairsOf(decoder.decode(value)))
          records.push(i)
        } catch (thrown) {
          // An undecodable record does not stop the stream: it becomes a dead letter with the reason.
          deadLetters.push(deadLetterOf(raw, i, 'decode', messageOf(thrown)))
        }
      }
    }
    // `validated` would hold rows that are decoded straight into columns; these objects are validated against
    // the contract later.
    return { raw, validated: undefined, objects, records, deadLetters, tombstones }
  },
}

const PAIR = /\s*([\w.]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)/y

function pairsOf(line: string): Row {
  const pairs: [string, string][] = []
  PAIR.lastIndex = 0
  let end = 0
  for (let match = PAIR.exec(line); match !== null; match = PAIR.exec(line)) {
    const [, key = '', quoted, plain = ''] = match
    pairs.push([key, quoted?.replaceAll(/\\(.)/g, '$1') ?? plain])
    end = PAIR.lastIndex
  }
  const rest = line.slice(end).trimStart()
  if (rest !== '')
    throw new Error(
      `expected key=value at character ${line.length - rest.length + 1}, got ${JSON.stringify(rest)}`,
    )
  return Object.fromEntries(pairs)
}

/** Contract of a line. Values are text; the columns convert them to timestamps. */
const contract = loadContract(
  {
    type: 'object',
    required: ['level', 'at'],
    properties: {
      level: { enum: ['debug', 'info', 'warn', 'error'] },
      at: { type: 'string', format: 'date-time' },
      msg: { type: 'string' },
    },
  },
  { source: 'log-line' },
)

const MIB = 2 ** 20

/** Ingests log lines into a table until the source completes. */
export async function carryLogLines(
  open: (table: TableWriter, credit: Credit) => Pick<Source, 'batches' | 'commitOffsets' | 'reset'>,
  store: Store,
  deadLetters: DeadLetterSink,
): Promise<readonly PipelineCommit[]> {
  if (!(await tableExists(store))) await createTable(store, { schema: contract.schema, partitionColumns: [] })
  const table = await openTableWriter(store)
  const credit = new Credit(64 * MIB)
  const source = open(table, credit)
  const commits = pipeline(
    source.batches,
    { source, credit, format: logfmt, contract, enrichments: [], store, table, appId: 'logs', deadLetters },
    {
      partitionColumns: [],
      flush: { count: 100_000, bytes: 32 * MIB, ageMs: 60_000 },
      parquet: { compression: 'zstd', rowGroupRows: 100_000 },
    },
  )
  return await lastValueFrom(commits.pipe(toArray()))
}
