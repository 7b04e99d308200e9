// The console of a service that runs: what it commits is seen in Chromium, and a verb of the page reaches it.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { openSender } from '../../../src/kafka/produce/sender.ts'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { startEmbeddedKafka } from '../../../src/embedded-kafka/embedded-kafka.ts'
import { findFreePorts } from '../../../src/local-servers/process.ts'
import { PROGRAM } from '../../e2e/support/carry.ts'
import { startWorker } from '../../integrity/support/worker.ts'
import { openBrowser } from './support/browser.ts'

const TOKEN = 'a-token-for-this-test'

test('what a service commits is on its page, dead letters with their cause, and a pause reaches it', async (context) => {
  const kafka = await startEmbeddedKafka()
  const folder = await mkdtemp(join(tmpdir(), 'console-live-'))
  const client = { brokers: kafka.brokers, clientId: 'test' }
  await createTopic(client, 'orders', { partitions: 2 })
  const produce = async (values: readonly string[]): Promise<void> => {
    const sender = await openSender({ ...client, topic: 'orders' })
    for (const value of values) sender.append({ key: null, value: Buffer.from(value) })
    await sender.flush()
    await sender.close()
  }
  await produce(['{"id":1}', '{"id":2}', 'no JSON'])
  const [port = 0] = await findFreePorts(1)
  const config = join(folder, 'service.json')
  const contract = join(folder, 'order.schema.json')
  await writeFile(contract, JSON.stringify({ type: 'object', properties: { id: { type: 'integer' } } }))
  const topic = { contract, table: { uri: join(folder, 'orders') }, flush: { ageMs: 100 } }
  await writeFile(
    config,
    JSON.stringify({
      kafka: { brokers: kafka.brokers },
      http: { port },
      admin: { enabled: true, token: TOKEN },
      topics: { orders: topic },
    }),
  )
  const worker = startWorker(PROGRAM, ['run', '--config', resolve(config)])
  const browser = await openBrowser()
  try {
    await worker.saw('Serving health')
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text())
    })
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.goto(`http://127.0.0.1:${port}/`)
    await page.locator('.headline.healthy').waitFor()
    await page.locator('.letters li', { hasText: 'decode' }).waitFor()
    assert.match(await page.locator('.letters code').first().innerText(), /^kafka-delta dlq replay /)
    const versionOf = (): Promise<string> => page.locator('.commits tbody th').first().innerText()
    const before = await versionOf()
    await produce(['{"id":3}'])
    const sentMs = performance.now()
    await page.locator(`.commits tbody th:text-is("${Number(before) + 1}")`).waitFor()
    context.diagnostic(`seen ${Math.round(performance.now() - sentMs)} ms after it was sent`)
    await page.getByRole('button', { name: 'Enter the admin token' }).click()
    await page.getByLabel('Admin token').fill(TOKEN)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Done.').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
    await page.locator('.topics .state', { hasText: 'paused' }).waitFor()
    await page.getByText('Configuration').click()
    await page.locator('.configuration pre', { hasText: 'order.schema.json' }).waitFor()
    assert.ok(!(await page.content()).includes(TOKEN), 'no secret on the page')
    assert.deepEqual(errors, [])
    if (process.env['CONSOLE_PICTURE'] !== undefined)
      await page.screenshot({ path: process.env['CONSOLE_PICTURE'], fullPage: true })
  } finally {
    await browser.close()
    worker.kill('SIGTERM')
    assert.equal(await worker.ended, 0)
    await kafka.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
