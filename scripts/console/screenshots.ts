// Takes the pictures of the console for the documentation: `npm run screenshots`. Needs Chromium.
import { mkdirSync } from 'node:fs'
import { openBrowser } from '../../test/console/page/support/browser.ts'
import { startFixture } from '../../test/console/page/support/fixture-server.ts'
import { DEGRADED } from '../../test/console/page/support/snapshots.ts'

const FOLDER = process.argv[2] ?? 'docs/images'
const HEIGHTS: Readonly<Record<number, number>> = { 400: 900, 1280: 800 }

mkdirSync(FOLDER, { recursive: true })
const server = await startFixture(DEGRADED)
const browser = await openBrowser()
try {
  for (const [width, height] of Object.entries(HEIGHTS))
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ viewport: { width: Number(width), height }, colorScheme })
      await page.goto(server.url)
      await page.locator('.part.flushes svg').first().waitFor()
      const path = `${FOLDER}/console-${width}-${colorScheme}.png`
      await page.screenshot({ path })
      if (Number(width) > 1_000)
        await page.locator('.part.flushes').screenshot({ path: `${FOLDER}/flushes-${colorScheme}.png` })
      await page.close()
    }
} finally {
  await browser.close()
  await server.close()
}
