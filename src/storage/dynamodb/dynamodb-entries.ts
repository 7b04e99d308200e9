import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ResourceNotFoundException,
  UpdateItemCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb'
import { PipelineError } from '../../core/errors.ts'
import { awsClientOptions, awsDialect } from '../s3/aws.ts'
import { DEFAULT_STORE_RETRY_POLICY, Requests, type StoreAttempt } from '../requests.ts'
import type { DynamoOptions } from './dynamodb-options.ts'

/** Describes the agreed commit of one version of a Delta table: its file, and whether the file is in `_delta_log`. */
export interface CommitEntry {
  /** Name of the commit file in `_delta_log`, such as `00000000000000000003.json`. */
  readonly fileName: string
  /** Path of the temporary file with the content, relative to `_delta_log`. */
  readonly tempPath: string
  /** True if the content is copied to `fileName`. */
  readonly isComplete: boolean
}

/** Stores the commit entries of Delta tables, each identified by its URI without a trailing slash. */
export interface CommitEntries {
  /** Creates an incomplete entry unless one exists for this file. If the call fails, `get` shows which entry exists. */
  create(tablePath: string, fileName: string, tempPath: string): Promise<'created' | 'exists'>
  /** Returns the entry of a file, or `undefined`. */
  get(tablePath: string, fileName: string): Promise<CommitEntry | undefined>
  /** Returns the entry with the last file name of a table. */
  latest(tablePath: string): Promise<CommitEntry | undefined>
  /** Marks an entry as complete, to expire after a day; an entry that is complete or missing is not changed. */
  complete(tablePath: string, fileName: string): Promise<void>
  /** Closes the connections. */
  close(): Promise<void>
}

/** Time for which complete entries are kept: longer than any writer may take between two of its steps. */
const EXPIRY_SECONDS = 24 * 60 * 60

/**
 * Stores commit entries in a DynamoDB table, in the layout of delta-spark's `S3DynamoDBLogStore` and of delta-rs: keys
 * `tablePath` and `fileName`, attributes `tempPath`, `complete` (the text `true` or `false`) and, once complete,
 * `expireTime` in seconds since the epoch.
 */
export class DynamoEntries implements CommitEntries {
  readonly #client: DynamoDBClient
  readonly #requests: Requests
  readonly #table: string
  readonly #now: () => number

  /** `now` is in milliseconds since the epoch. */
  constructor(options: DynamoOptions = {}, now: () => number = Date.now) {
    this.#table = options.table ?? 'delta_log'
    this.#requests = new Requests(awsDialect('DynamoDB'), options)
    this.#client = new DynamoDBClient(
      awsClientOptions(options, { ...DEFAULT_STORE_RETRY_POLICY, ...options.retryPolicy }),
    )
    this.#now = now
  }

  create(tablePath: string, fileName: string, tempPath: string): Promise<'created' | 'exists'> {
    let attempts = 0
    return this.#retried('PutItem', `${tablePath} ${fileName}`, async (abortSignal) => {
      attempts++
      try {
        await this.#client.send(
          new PutItemCommand({
            TableName: this.#table,
            Item: { ...keyOf(tablePath, fileName), tempPath: { S: tempPath }, complete: { S: 'false' } },
            ConditionExpression: 'attribute_not_exists(fileName)',
          }),
          { abortSignal },
        )
        return 'created'
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        // After a lost response the entry may be our own: temporary file names are unique.
        if (attempts === 1) return 'exists'
        const entry = await this.#read(tablePath, fileName, abortSignal)
        return entry?.tempPath === tempPath ? 'created' : 'exists'
      }
    })
  }

  get(tablePath: string, fileName: string): Promise<CommitEntry | undefined> {
    return this.#retried('GetItem', `${tablePath} ${fileName}`, (signal) =>
      this.#read(tablePath, fileName, signal),
    )
  }

  latest(tablePath: string): Promise<CommitEntry | undefined> {
    return this.#retried('Query', tablePath, async (abortSignal) => {
      const { Items } = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          ConsistentRead: true,
          ScanIndexForward: false,
          Limit: 1,
          KeyConditionExpression: 'tablePath = :path',
          ExpressionAttributeValues: { ':path': { S: tablePath } },
        }),
        { abortSignal },
      )
      const [item] = Items ?? []
      return item === undefined ? undefined : this.#entryOf(item)
    })
  }

  complete(tablePath: string, fileName: string): Promise<void> {
    const expireTime = Math.floor(this.#now() / 1000) + EXPIRY_SECONDS
    return this.#retried('UpdateItem', `${tablePath} ${fileName}`, async (abortSignal) => {
      try {
        await this.#client.send(
          new UpdateItemCommand({
            TableName: this.#table,
            Key: keyOf(tablePath, fileName),
            UpdateExpression: 'SET complete = :true, expireTime = :time',
            ConditionExpression: 'complete = :false',
            ExpressionAttributeValues: {
              ':true': { S: 'true' },
              ':false': { S: 'false' },
              ':time': { N: expireTime.toString() },
            },
          }),
          { abortSignal },
        )
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
      }
    })
  }

  /** Closes the connections. */
  close(): Promise<void> {
    this.#client.destroy()
    return Promise.resolve()
  }

  async #read(
    tablePath: string,
    fileName: string,
    abortSignal: AbortSignal,
  ): Promise<CommitEntry | undefined> {
    const { Item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: keyOf(tablePath, fileName), ConsistentRead: true }),
      { abortSignal },
    )
    return Item === undefined ? undefined : this.#entryOf(Item)
  }

  #retried<T>(operation: string, key: string, attempt: StoreAttempt<T>): Promise<T> {
    return this.#requests.sendWithRetries({ operation, bucket: this.#table, key }, async (signal) => {
      try {
        return await attempt(signal)
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error
        throw new PipelineError(
          'KD_STORE_FAILED',
          'the DynamoDB table does not exist: create it with the partition key tablePath and the sort key fileName, both strings',
          { table: this.#table },
        )
      }
    })
  }

  #entryOf(item: Readonly<Record<string, AttributeValue>>): CommitEntry {
    const fileName = item['fileName']?.S
    const tempPath = item['tempPath']?.S
    const complete = item['complete']?.S
    if (fileName === undefined || tempPath === undefined || complete === undefined)
      throw new PipelineError('KD_STORE_FAILED', 'an item in DynamoDB is not a commit entry of a Delta log', {
        table: this.#table,
        key: `${item['tablePath']?.S ?? ''} ${fileName ?? ''}`,
      })
    return { fileName, tempPath, isComplete: complete === 'true' }
  }
}

function keyOf(tablePath: string, fileName: string): Record<string, AttributeValue> {
  return { tablePath: { S: tablePath }, fileName: { S: fileName } }
}
