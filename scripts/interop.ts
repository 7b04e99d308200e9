// Runs the tests that require Spark with Delta, which it starts: `npm run test:interop`, optionally with
// paths of tests.
import { startSpark } from '../test/support/servers/spark.ts'
import { SPARK_VARIABLE } from '../test/support/servers/variables.ts'
import { runSuite } from './run-tests.ts'

process.exitCode = await runSuite(
  {
    folders: ['test/interop'],
    startsAlways: true,
    start: async (stops) => {
      const spark = await startSpark({ say: (message) => console.log(message) })
      stops.push(() => spark.stop())
      return { [SPARK_VARIABLE]: String(spark.port) }
    },
  },
  process.argv.slice(2),
)
