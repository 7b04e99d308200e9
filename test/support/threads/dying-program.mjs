// A program of threads that end in the middle of their work.
export function checkThread() {
  return true
}

export function readColumns() {
  process.exit(3)
}

/** Asks for one slice, and ends when it has come. */
export function encodeColumns({ port }) {
  port.on('message', () => process.exit(4))
  port.postMessage({ kind: 'next' })
  return new Promise(() => undefined)
}
