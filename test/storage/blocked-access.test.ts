// Goal: credentials or permissions that stop working make requests wait, and continue once they work again.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Circuits } from '../../src/resilience/circuit-registry.ts'
import { AZURE_DIALECT } from '../../src/storage/azure/azure-client.ts'
import { GcsError, GCS_DIALECT } from '../../src/storage/gcs/gcs-client.ts'
import { openStore } from '../../src/storage/open/open.ts'
import { awsDialect } from '../../src/storage/s3/aws.ts'
import type { Store } from '../../src/storage/store.ts'
import { scriptedServer, type ScriptedAnswer } from '../support/network/scripted-http.ts'

const stops: (() => Promise<unknown>)[] = []
after(() => Promise.all(stops.map((stop) => stop())))

const LIST = {
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: '<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>',
}

function refusal(status: number, code: string): ScriptedAnswer {
  const headers = { 'content-type': 'application/xml' }
  return { status, headers, body: `<Error><Code>${code}</Code><Message>no</Message></Error>` }
}

interface Answers {
  read: ScriptedAnswer
  write: ScriptedAnswer
}

/** Opens a table in S3 whose reads and writes are answered by `answers`. */
async function s3Table(answers: Answers) {
  let requests = 0
  const server = await scriptedServer(({ method }) => {
    requests++
    return method === 'GET' ? answers.read : answers.write
  })
  const circuits = new Circuits({ openMs: 20 })
  const store = await openStore('s3://lake/orders', {
    circuits,
    s3: {
      endpoint: server.endpoint,
      region: 'us-east-1',
      accessKeyId: 'key',
      secretAccessKey: 'very-secret',
      forcePathStyle: true,
    },
  })
  stops.push(
    () => store.close(),
    () => server.stop(),
  )
  return { store, circuits, requests: () => requests }
}

async function list(store: Store): Promise<void> {
  for await (const { key } of store.list('')) assert.fail(key)
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 20_000
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

for (const [status, code, remedy] of [
  [403, 'AccessDenied', /permissions/],
  [400, 'ExpiredToken', /renew the credentials/],
  [403, 'InvalidAccessKeyId', /renew the credentials/],
  [401, 'Unauthorized', /renew the credentials/],
  [404, 'NoSuchBucket', /bucket/],
  [403, 'RequestTimeTooSkewed', /clock of this machine/],
] as const) {
  test(`After requests have succeeded, ${status} ${code} makes reads, puts and commits wait until they succeed again`, async () => {
    const answers: Answers = { read: LIST, write: { status: 200 } }
    const { store, circuits } = await s3Table(answers)
    await list(store)
    await store.put('a', Buffer.from('a'))
    assert.deepEqual(
      circuits.all().map(({ name }) => name),
      ['s3://lake'],
    )
    answers.read = answers.write = refusal(status, code)
    let settled = 0
    const all = [list(store), store.put('a', Buffer.from('a')), store.putIfAbsent('b', Buffer.from('b'))].map(
      (request) => request.finally(() => settled++),
    )
    await until('several trials', () => (circuits.all()[1]?.openedCount ?? 0) >= 6)
    const [server, table] = circuits.all()
    assert.deepEqual([server?.state, table?.name, settled], ['closed', 's3://lake/orders', 0])
    assert.notEqual(table?.state, 'closed')
    assert.match(table?.reason ?? '', new RegExp(`${code}.*; trying again every 1 s; `))
    assert.match(table?.reason ?? '', remedy)
    answers.read = LIST
    answers.write = { status: 200 }
    assert.equal((await Promise.all(all))[2], 'created')
  })
}

test('At the start a refusal fails, and says what to do; a clock that differs makes the requests wait', async () => {
  for (const [code, remedy] of [
    ['AccessDenied', /AccessDenied: no; check the permissions/],
    ['ExpiredToken', /ExpiredToken: no; check or renew the credentials/],
    ['NoSuchBucket', /NoSuchBucket: no; check the name of the bucket/],
  ] as const) {
    const status = code === 'NoSuchBucket' ? 404 : 403
    const { store, requests } = await s3Table({ read: refusal(status, code), write: refusal(status, code) })
    await assert.rejects(list(store), { code: 'KD_STORE_FAILED', message: remedy })
    assert.equal(requests(), 1)
  }
  const answers: Answers = { read: refusal(403, 'RequestTimeTooSkewed'), write: LIST }
  const { store, circuits } = await s3Table(answers)
  const listed = list(store)
  await until('a trial', () => circuits.all()[1]?.state !== undefined)
  answers.read = LIST
  await listed
})

test('Without permission to write, a table that can be read fails; without permission to delete, nothing waits', async () => {
  const answers: Answers = { read: LIST, write: refusal(403, 'AccessDenied') }
  const { store, circuits } = await s3Table(answers)
  await list(store)
  await assert.rejects(store.put('a', Buffer.from('a')), { code: 'KD_STORE_FAILED' })
  answers.write = { status: 200 }
  await store.put('a', Buffer.from('a'))
  await store.delete('a')
  answers.write = refusal(403, 'AccessDenied')
  await assert.rejects(store.delete('a'), { code: 'KD_STORE_FAILED' })
  assert.equal(circuits.all().length, 1)
})

test('The errors of each client library are classified alike', () => {
  const awsError = (name: string, status?: number, code?: string): Error =>
    Object.assign(new Error('no'), {
      name,
      ...(code === undefined ? {} : { code }),
      ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }),
    })
  const azureError = (code: string, statusCode?: number, name = 'RestError'): Error =>
    Object.assign(new Error('no'), { name, code, ...(statusCode === undefined ? {} : { statusCode }) })
  const gcsLogin = (status: number): Error => Object.assign(new Error('invalid_grant'), { status })
  const request = { operation: 'objects.get', bucket: 'lake', key: 'a' }
  const remedyOf = (dialect: typeof AZURE_DIALECT, error: Error): string => {
    const { code, blocked } = dialect.failureOf(error, request)
    return `${code} ${blocked?.remedy.match(/credentials of the store|permissions|bucket|clock|certificate/)?.[0] ?? 'none'}`
  }
  const [s3, dynamodb] = [awsDialect('S3'), awsDialect('DynamoDB')]
  for (const [dialect, error, expected] of [
    [s3, awsError('AccessDenied', 403), 'KD_STORE_FAILED permissions'],
    [s3, awsError('KMS.DisabledException', 400), 'KD_STORE_FAILED permissions'],
    [s3, awsError('InvalidObjectState', 403), 'KD_STORE_FAILED none'],
    [s3, awsError('SignatureDoesNotMatch', 403), 'KD_STORE_FAILED credentials of the store'],
    [s3, awsError('CredentialsProviderError'), 'KD_STORE_FAILED credentials of the store'],
    [s3, awsError('RequestTimeTooSkewed', 403), 'KD_STORE_FAILED clock'],
    [s3, awsError('NoSuchBucket', 404), 'KD_STORE_FAILED bucket'],
    [s3, awsError('Error', undefined, 'CERT_HAS_EXPIRED'), 'KD_STORE_FAILED certificate'],
    [s3, awsError('Error', undefined, 'ENOMEM'), 'KD_STORE_UNAVAILABLE none'],
    [s3, awsError('Error', undefined, 'EMFILE'), 'KD_STORE_UNAVAILABLE none'],
    [s3, awsError('Error', undefined, 'ENOTFOUND'), 'KD_STORE_UNAVAILABLE none'],
    [s3, awsError('InvalidRequest', 400), 'KD_STORE_FAILED none'],
    [dynamodb, awsError('ExpiredTokenException', 400), 'KD_STORE_FAILED credentials of the store'],
    [dynamodb, awsError('AccessDeniedException', 400), 'KD_STORE_FAILED permissions'],
    [AZURE_DIALECT, azureError('AuthenticationFailed', 403), 'KD_STORE_FAILED credentials of the store'],
    [AZURE_DIALECT, azureError('AuthorizationPermissionMismatch', 403), 'KD_STORE_FAILED permissions'],
    [AZURE_DIALECT, azureError('ContainerNotFound', 404), 'KD_STORE_FAILED bucket'],
    [AZURE_DIALECT, azureError('ContainerBeingDeleted', 409), 'KD_STORE_FAILED bucket'],
    [
      AZURE_DIALECT,
      azureError('', undefined, 'CredentialUnavailableError'),
      'KD_STORE_FAILED credentials of the store',
    ],
    [AZURE_DIALECT, azureError('BlobNotFound', 404), 'KD_STORE_NOT_FOUND none'],
    [AZURE_DIALECT, azureError('CERT_HAS_EXPIRED'), 'KD_STORE_FAILED certificate'],
    [GCS_DIALECT, new GcsError(401, 'authError', 'no'), 'KD_STORE_FAILED credentials of the store'],
    [GCS_DIALECT, gcsLogin(400), 'KD_STORE_FAILED credentials of the store'],
    [GCS_DIALECT, gcsLogin(503), 'KD_STORE_UNAVAILABLE none'],
    [GCS_DIALECT, new GcsError(403, 'forbidden', 'no'), 'KD_STORE_FAILED permissions'],
    [GCS_DIALECT, new GcsError(403, 'rateLimitExceeded', 'no'), 'KD_STORE_UNAVAILABLE none'],
    [GCS_DIALECT, new GcsError(403, 'retentionPolicyNotMet', 'no'), 'KD_STORE_FAILED none'],
    [
      GCS_DIALECT,
      new GcsError(404, 'notFound', 'The specified bucket does not exist.'),
      'KD_STORE_FAILED bucket',
    ],
  ] as const)
    assert.equal(remedyOf(dialect, error), expected, `${dialect.name} ${error.name} ${error.message}`)
})
