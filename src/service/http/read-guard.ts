import type { onRequestAsyncHookHandler } from 'fastify'
import type { Config } from '../../../config/types.ts'
import { AdminToken } from './admin-token.ts'

/** Matches the addresses and names of the machine itself. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i

/**
 * Returns the check of requests for details of the topics and the configuration. While the server is bound to the
 * loopback address, all are allowed; beyond it they must carry the admin token, and without one none is allowed.
 */
export function createReadGuard({ http, admin }: Config): onRequestAsyncHookHandler {
  const token = admin.token === undefined ? undefined : new AdminToken(admin.token)
  const isLocal = LOOPBACK.test(http.host)
  return (request, reply) => {
    if (isLocal || token?.matches(request.headers.authorization) === true) return Promise.resolve()
    const status = token === undefined ? 403 : 401
    if (token !== undefined) void reply.header('www-authenticate', 'Bearer')
    const error =
      token === undefined
        ? `beyond the loopback address this needs admin.token, which is not set; /readyz has the health`
        : 'expected the header Authorization: Bearer <admin.token>'
    return Promise.resolve(reply.code(status).send({ status, error }))
  }
}
