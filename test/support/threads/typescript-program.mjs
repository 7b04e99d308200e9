// The program of threads in tests that run from their sources: Node does not give threads the TypeScript loader.
import { register } from 'tsx/esm/api'

register()
const program = await import('../../../src/threads/worker-thread.ts')

export const { checkThread, encodeColumns, readColumns } = program
