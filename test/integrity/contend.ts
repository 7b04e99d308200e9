// Many writers and one who optimizes on one S3 table: `npm run contend -- --minutes 3 --workers 8`.
import { parseArgs } from 'node:util'
import { startS3 } from '../support/servers/s3.ts'
import { contend, contentionText } from './support/contention.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '3' }, workers: { type: 'string', default: '8' } },
})

// The SDK is pinned; what later releases of it need is no news here.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'

const say = (line: string): void => console.log(line)
const s3 = await startS3({ say })
try {
  const ms = Number(values.minutes) * 60_000
  const found = await contend({ s3, prefix: 'contended', workers: Number(values.workers), ms, say })
  say(contentionText(found))
  process.exitCode = found.lost + found.twice + found.aborted.length === 0 ? 0 : 1
} finally {
  await s3.stop()
}
