import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer as createPlain, type RequestListener, type Server } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { PipelineError } from '../../src/core/errors.ts'
import { createSchemaRegistry, type SchemaRegistryOptions } from '../../src/registry/registry.ts'
import { startRegistry } from '../support/servers/registry.ts'
import { makeAuthority } from '../support/servers/certificates.ts'

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-registry-tls-'))
after(() => rm(folder, { recursive: true, force: true }))
const ours = await makeAuthority(folder, 'ours')
const theirs = await makeAuthority(folder, 'theirs')
const server = await ours.sign('registry')
const expired = await ours.sign('expired', { days: -1 })
const client = await ours.sign('client')
const stranger = await theirs.sign('stranger')

const TOKEN = 'a-token'
const registry = await startRegistry()
after(() => registry.stop())
/** Forwards requests with the token to the registry, which itself uses neither TLS nor tokens. */
const front: RequestListener = (request, response) => {
  if (request.headers.authorization !== `Bearer ${TOKEN}`) {
    response.writeHead(401).end('no token')
    return
  }
  void fetch(registry.url + (request.url ?? '')).then(async (answer) => {
    response.writeHead(answer.status).end(await answer.text())
  })
}

const servers: Server[] = []
after(() => {
  for (const each of servers) each.close()
})
async function portOf(each: Server): Promise<number> {
  servers.push(each)
  await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve))
  return (each.address() as AddressInfo).port
}
async function secured({ certFile, keyFile }: typeof server, requestCert = false): Promise<string> {
  const [cert, key, ca] = await Promise.all([certFile, keyFile, ours.caFile].map((path) => readFile(path)))
  return `https://127.0.0.1:${await portOf(createServer({ cert, key, ca, requestCert } as object, front))}`
}

const retryPolicy = { attemptsMax: 2, minBackoffMs: 5, maxBackoffMs: 10, requestMsMax: 5_000 }
const options = (url: string, more: Partial<SchemaRegistryOptions> = {}): SchemaRegistryOptions => ({
  url,
  token: TOKEN,
  retryPolicy,
  ...more,
})

/** Returns the reason for a failure, and whether a retry may help. */
async function failureOf(given: SchemaRegistryOptions): Promise<[string, boolean, string]> {
  try {
    await createSchemaRegistry(given).latest('events')
  } catch (error) {
    assert.ok(error instanceof PipelineError, 'every failure is an error of the catalogue')
    assert.ok(!error.message.includes(TOKEN), 'no secret appears in a message')
    return [error.code, error.retryable, error.message]
  }
  throw new assert.AssertionError({ message: 'expected a failure' })
}

await fetch(`${registry.url}/subjects/events/versions`, {
  method: 'POST',
  headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
  body: JSON.stringify({ schema: '"string"' }),
})

test('A registry with a private certificate authority responds to a client with that authority and a token', async () => {
  const url = await secured(server)
  const found = await createSchemaRegistry(options(url, { tls: { caFile: ours.caFile } })).latest('events')
  assert.equal(found?.text, '"string"')
})

test('A registry that requires a client certificate gets ours; without one, or with one of another authority, requests fail', async () => {
  const url = await secured(server, true)
  const { certFile, keyFile } = client
  const found = await createSchemaRegistry(
    options(url, { tls: { caFile: ours.caFile, certFile, keyFile } }),
  ).latest('events')
  assert.equal(found?.text, '"string"')
  for (const tls of [{}, { certFile: stranger.certFile, keyFile: stranger.keyFile }]) {
    const [code] = await failureOf(options(url, { tls: { caFile: ours.caFile, ...tls } }))
    assert.equal(code, 'KD_REGISTRY_FAILED')
  }
})

test('An unknown authority and an expired certificate fail at once, and the error for the first gives advice', async () => {
  const unknown = await failureOf(options(await secured(server)))
  assert.deepEqual(unknown.slice(0, 2), ['KD_REGISTRY_FAILED', false])
  assert.match(unknown[2], /set schemaRegistry.tls.caFile to the file with its certificate authority/)
  const late = await failureOf(options(await secured(expired), { tls: { caFile: ours.caFile } }))
  assert.deepEqual(late.slice(0, 2), ['KD_REGISTRY_FAILED', false])
  assert.match(late[2], /expired/)
})

test('A refused token and an unreadable file are reported', async () => {
  const url = `http://127.0.0.1:${await portOf(createPlain(front))}`
  const refused = await failureOf(options(url, { token: 'another' }))
  assert.deepEqual(refused.slice(0, 2), ['KD_REGISTRY_FAILED', false])
  assert.match(refused[2], /status 401/)
  const gone = await failureOf(options(url, { tls: { caFile: join(folder, 'gone.pem') } }))
  assert.equal(gone[0], 'KD_CONFIG_INVALID')
})

test('A response that never arrives, or never ends, fails', async () => {
  const silent = `http://127.0.0.1:${await portOf(createPlain(() => undefined))}`
  const quick = { ...retryPolicy, requestMsMax: 50 }
  const [, retryable, message] = await failureOf({ ...options(silent), retryPolicy: quick })
  assert.ok(retryable, 'a registry that is slow may be faster later')
  assert.match(message, /no response within 50 ms/)
  const chunk = Buffer.alloc(1024 * 1024, ' ')
  const flood = createPlain((_, response) => {
    const more = (): void => {
      if (!response.destroyed) response.write(chunk, more)
    }
    more()
  })
  const endless = await failureOf(options(`http://127.0.0.1:${await portOf(flood)}`))
  assert.match(endless[2], /expected a response of at most 16777216 bytes, got more/)
})
