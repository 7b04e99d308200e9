import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from '../../../src/local-servers/process.ts'
import type { Night } from '../support/night.ts'
import type { Said, Scenario } from '../support/scenario.ts'
import { isTopicState, READY } from '../support/wanted.ts'

const DISK_MIB = 4

/** What is said of one topic whose disk is broken, and another one that works. */
function waits(reason: RegExp): Said {
  return {
    code: 200,
    readiness: ['degraded'],
    topics: { orders: { states: ['waiting'], reason }, local: { states: ['running'] } },
    server: { kind: 'stores', states: ['open', 'half-open'], reason },
    lines: [{ level: 'warn', text: /^Circuit opened for / }],
    metrics: [isTopicState('waiting')],
    alert: 'KafkaDeltaCircuitOpen',
  }
}

/** Faults of a local disk. They mount file systems and change users, which only root may. */
export const DISK_SCENARIOS: readonly Scenario[] = [
  {
    name: 'disk-full',
    fault: 'The disk under a local table is full',
    does: 'the topics on that disk wait and go on once there is room; files that were begun are removed',
    remedy: 'make room; `table.vacuum` deletes files that no version needs',
    prepare: async (night) => {
      const disk = await mounted(night, 'full')
      const [orders, local] = [await night.topic({ uri: join(disk, 'orders') }), await night.topic()]
      const filler = join(disk, 'filler')
      return {
        config: await night.config({ orders: orders.entry(), local: local.entry() }),
        // The write fails where the disk ends, which fills it.
        fault: () => writeFile(filler, Buffer.alloc(DISK_MIB * 1024 * 1024)).catch(() => undefined),
        said: waits(/full|ENOSPC|no space/i),
        remedy: () => rm(filler),
        recovered: READY,
        exact: [orders, local],
        cleanUp: () => unmounted(disk),
      }
    },
  },
  {
    name: 'disk-read-only',
    fault: 'The file system of a local table is read-only',
    does: 'the topics on that disk wait and try again slowly',
    remedy: 'look at the disk: systems mount it read-only after an error; mount it again',
    prepare: async (night) => {
      const disk = await mounted(night, 'read-only')
      const [orders, local] = [await night.topic({ uri: join(disk, 'orders') }), await night.topic()]
      return {
        config: await night.config({ orders: orders.entry(), local: local.entry() }),
        fault: () => root('mount', ['-o', 'remount,ro', disk]),
        said: waits(/read-only|EROFS/i),
        remedy: () => root('mount', ['-o', 'remount,rw', disk]),
        recovered: READY,
        exact: [orders, local],
        cleanUp: () => unmounted(disk),
      }
    },
  },
  {
    name: 'folder-forbidden',
    fault: 'The service may no longer write into the folder of a local table',
    does: 'the topic waits and tries again slowly',
    remedy: 'give the user of the service the folder back',
    prepare: async (night) => {
      const parent = await night.newFolder('forbidden')
      await Promise.all([chmod(night.folder, 0o777), chmod(parent, 0o777)])
      const [orders, local] = [await night.topic({ uri: join(parent, 'orders') }), await night.topic()]
      await chmod(local.uri, 0o777)
      const lock = (mode: string): Promise<void> => root('chmod', ['-R', mode, join(parent, 'orders')])
      return {
        config: await night.config({ orders: orders.entry(), local: local.entry() }),
        // Root may write everywhere.
        program: ['setpriv', '--reuid', '65534', '--clear-groups', ...night.program],
        fault: () => lock('a-w'),
        said: waits(/permission|EACCES|EPERM/i),
        remedy: () => lock('a+w'),
        recovered: READY,
        exact: [orders, local],
      }
    },
  },
]

async function mounted(night: Night, name: string): Promise<string> {
  const path = await night.newFolder(name)
  await mkdir(path, { recursive: true })
  await root('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', path])
  return path
}

function unmounted(path: string): Promise<void> {
  return root('umount', ['-l', path])
}

function root(command: string, args: string[]): Promise<void> {
  return runProgram(command, args, { missing: `${command} is not installed`, runMsMax: 10_000 })
}
