import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Starts a registry that answers requests for schemas by their id. */
export async function startRegistryOf(
  schemas: Readonly<Record<number, object>>,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    const id = Number(/^\/schemas\/ids\/(\d+)/.exec(request.url ?? '')?.[1])
    const schema = schemas[id]
    response.writeHead(schema === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify(
        schema === undefined
          ? { error_code: 40_403, message: 'Schema not found' }
          : { schema: JSON.stringify(schema) },
      ),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
