import { createHash, timingSafeEqual } from 'node:crypto'

/** Compares the bearer tokens of requests with `admin.token`, in the same time for every token. */
export class AdminToken {
  readonly #digest: Buffer

  constructor(token: string) {
    this.#digest = digestOf(token)
  }

  /** Returns true when the header `Authorization` of a request carries the token. */
  matches(authorization: string | undefined): boolean {
    const [, token] = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '') ?? []
    // Digests have equal lengths, as `timingSafeEqual` requires.
    return token !== undefined && timingSafeEqual(digestOf(token), this.#digest)
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
