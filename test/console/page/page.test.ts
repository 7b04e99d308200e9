// The console in a real Chromium, with snapshots made by hand.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { openBrowser } from './support/browser.ts'
import { startFixture, type FixtureServer } from './support/fixture-server.ts'
import { AT_MS, DEGRADED, EMPTY, HEALTHY, HOSTILE, HOSTILE_TEXT, MANY, STOPPED } from './support/snapshots.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe found. */
interface Findings {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { readonly html: string }[]
  }[]
}

let browser: Browser
let server: FixtureServer
before(async () => {
  server = await startFixture(HEALTHY)
  browser = await openBrowser()
})
after(async () => {
  await browser.close()
  await server.close()
})

/** Opens the page, runs `task`, and fails if the page reported an error. */
async function withPage(
  task: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  const errors: string[] = []
  page.on('console', (message) => {
    // A refused request is reported by the browser itself.
    if (message.type() === 'error' && !message.text().includes('401')) errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  try {
    await page.goto(server.url)
    await task(page)
    assert.deepEqual(errors, [])
  } finally {
    await context.close()
  }
}

/** Waits until the sentence contains a text. */
async function sentence(page: Page, text: string): Promise<void> {
  await page.locator('#sentence', { hasText: text }).waitFor()
}

test('the page answers from top to bottom, without an error of the browser', async () => {
  server.push(HEALTHY)
  await withPage(async (page) => {
    await sentence(page, 'Healthy')
    const titles = await page.locator('h2, h3').allTextContents()
    assert.deepEqual(titles.slice(0, 2), ['Topics 3', 'orders.v1 → s3://lake/orders'])
    for (const title of [
      'What holds it back',
      'Lag by partition',
      'Last commits',
      'Last flushes',
      'Consumer group',
      'Table',
      'Memory',
      'Configuration',
    ])
      assert.ok(titles.includes(title), `${title} in ${titles.join(', ')}`)
    assert.equal(await page.title(), 'healthy · kafka-delta')
  })
})

test('a snapshot that is pushed is drawn, and what has the focus stays', async () => {
  server.push(HEALTHY)
  await withPage(async (page) => {
    await sentence(page, 'Healthy')
    await page.locator('.pick').nth(1).focus()
    const focused = await page.evaluateHandle(() => document.activeElement)
    server.push(DEGRADED)
    await sentence(page, 'waits for s3://lake')
    assert.ok(await focused.evaluate((element) => element === document.activeElement))
    assert.equal(await focused.evaluate((element) => element?.textContent), 'payments.v1 (payments)')
    assert.match(await page.locator('.headline').innerText(), /KD_STORE_UNAVAILABLE/)
  })
})

test('what is unknown is a dash, never 0', async () => {
  server.push(HEALTHY)
  await withPage(async (page) => {
    await sentence(page, 'Healthy')
    const cells = await page.locator('.topics tbody tr').nth(2).locator('td').allInnerTexts()
    assert.deepEqual([cells[1], cells[2], cells[4]], ['–', '–', '–'])
    assert.equal(await page.locator('.topics tbody tr').nth(2).locator('.spark path').getAttribute('d'), '')
  })
})

test('a service without topics, and one that has stopped, are told', async () => {
  server.push(EMPTY)
  await withPage(async (page) => {
    await sentence(page, 'Starting')
    server.push(STOPPED)
    await sentence(page, 'Stopped: orders.v1 failed')
    assert.equal(await page.locator('.verbs').count(), 0, 'no verb without admin')
  })
})

for (const colorScheme of ['light', 'dark'] as const)
  for (const width of [400, 1280])
    test(`axe finds nothing at ${width} px, ${colorScheme}, and nothing is cut off`, async () => {
      for (const snapshot of [HEALTHY, DEGRADED, STOPPED]) {
        server.push(snapshot)
        await withPage(
          async (page) => {
            await sentence(page, snapshot.headline.sentence)
            // The policy of the page refuses scripts that are added to it, but not those of its debugger.
            const found = await page.evaluate<Findings>(`${AXE}; axe.run()`)
            assert.deepEqual(
              found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
              [],
            )
            const overflow = await page.evaluate(
              () => document.documentElement.scrollWidth - window.innerWidth,
            )
            assert.ok(overflow <= 0, `${overflow} px wider than the window`)
          },
          { colorScheme, viewport: { width, height: 900 } },
        )
      }
    })

test('names and messages are text, whatever they contain', async () => {
  server.push(HOSTILE)
  await withPage(async (page) => {
    await sentence(page, HOSTILE_TEXT)
    assert.equal(await page.locator('#console img, #console script').count(), 0)
    assert.equal(await page.title(), 'degraded · kafka-delta')
  })
})

test('200 topics and 100 partitions are drawn, and keys choose among them', async () => {
  server.push(MANY)
  await withPage(async (page) => {
    await page.locator('.partitions tbody tr').nth(99).waitFor()
    assert.equal(await page.locator('.topics tbody tr').count(), 200)
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.locator('.topics tr.selected', { hasText: 'topic-002' }).waitFor()
    await page.keyboard.press('ArrowUp')
    await page.locator('.topics tr.selected', { hasText: 'topic-001' }).waitFor()
    assert.match(page.url(), /#topic=topic-001$/)
  })
})

test('a service that asks for its token gets it, once it is entered', async () => {
  server.push(HEALTHY)
  server.setToken('secret')
  try {
    await withPage(async (page) => {
      await page.getByLabel('Admin token').fill('wrong')
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByLabel('Admin token').waitFor()
      await page.getByLabel('Admin token').fill('secret')
      await page.getByRole('button', { name: 'Continue' }).click()
      await sentence(page, 'Healthy')
    })
  } finally {
    server.setToken(undefined)
  }
})

test('a verb is asked for once, and sent once with the token', async () => {
  server.push(HEALTHY)
  await withPage(async (page) => {
    await page.getByRole('button', { name: 'Enter the admin token' }).click()
    await page.getByLabel('Admin token').fill('secret')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    assert.deepEqual(server.verbs, [])
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('dialog').getByText('Done.').waitFor()
    assert.deepEqual(server.verbs, ['POST /admin/topics/orders/pause Bearer secret'])
  })
})

test('a lost connection is said, what was known stays, and the page connects again by itself', async () => {
  server.push(HEALTHY)
  await withPage(async (page) => {
    await sentence(page, 'Healthy')
    const ended = page.locator('main.stale').waitFor()
    server.endStreams()
    await ended
    await sentence(page, 'Healthy')
    await page.locator('main:not(.stale)').waitFor()
  })
})

test('the configuration is fetched when it is opened, and the theme is kept', async () => {
  server.push({ ...HEALTHY, atMs: AT_MS + 1_000 })
  await withPage(async (page) => {
    await page.getByText('Configuration').click()
    await page.locator('.configuration pre', { hasText: 'kafka:9092' }).waitFor()
    await page.getByRole('button', { name: 'Switch between light and dark' }).click()
    assert.equal(await page.evaluate(() => document.documentElement.dataset['theme']), 'dark')
    await page.reload()
    await sentence(page, 'Healthy')
    assert.equal(await page.evaluate(() => document.documentElement.dataset['theme']), 'dark')
  })
})
