import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(pbkdf2)

/** Minimum iteration count that RFC 7677 allows. */
const ITERATIONS_MIN = 4_096
/** Protects the CPU of this process from a malicious broker; Kafka's own maximum is 16,384. */
const ITERATIONS_MAX = 1_000_000
const HASH_BYTES = { sha256: 32, sha512: 64 } as const

/** Holds the credentials of a SCRAM login. */
interface ScramCredentials {
  readonly hash: 'sha256' | 'sha512'
  readonly username: string
  readonly password: string
}

/**
 * Computes the client's messages of a SCRAM login (RFC 5802): the client proves that it has the password without
 * sending it, and the broker proves that it knows the password too. Call `clientFirst`, `clientFinal` and
 * `verifyServerFinal` in this order. Thrown errors contain no secrets.
 */
export class ScramClient {
  readonly #user: ScramCredentials
  readonly #nonce: string
  readonly #clientFirstBare: string
  #serverSignature: Buffer | undefined

  /** Starts a login; `nonce` is random text without commas. */
  constructor(user: ScramCredentials, nonce: string) {
    this.#user = user
    this.#nonce = nonce
    this.#clientFirstBare = `n=${user.username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  }

  /** Returns the client-first-message, without channel binding. */
  clientFirst(): string {
    return `n,,${this.#clientFirstBare}`
  }

  /** Resolves to the client-final-message with the proof for the broker's nonce, salt and iteration count. */
  async clientFinal(serverFirst: string): Promise<string> {
    const { r: nonce = '', s: salt = '', i: iterations = '' } = attributesOf(serverFirst)
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw new Error('the nonce of the broker does not extend the nonce of the client')
    }
    const count = Number(iterations)
    if (!Number.isInteger(count) || count < ITERATIONS_MIN || count > ITERATIONS_MAX) {
      throw new Error(
        `expected ${ITERATIONS_MIN} to ${ITERATIONS_MAX} iterations, got ${iterations.slice(0, 20)}`,
      )
    }
    const saltBytes = Buffer.from(salt, 'base64')
    if (saltBytes.length === 0) throw new Error('expected a salt, got none')
    const { hash, password } = this.#user
    const salted = await derive(password, saltBytes, count, HASH_BYTES[hash], hash)
    const clientFinalWithoutProof = `c=biws,r=${nonce}`
    const authMessage = `${this.#clientFirstBare},${serverFirst},${clientFinalWithoutProof}`
    const clientKey = this.#hmac(salted, 'Client Key')
    const clientSignature = this.#hmac(createHash(hash).update(clientKey).digest(), authMessage)
    const proof = clientKey.map((byte, i) => byte ^ (clientSignature[i] as number))
    this.#serverSignature = this.#hmac(this.#hmac(salted, 'Server Key'), authMessage)
    return `${clientFinalWithoutProof},p=${Buffer.from(proof).toString('base64')}`
  }

  /** Checks the server-final-message: the broker must prove that it knows the password. */
  verifyServerFinal(serverFinal: string): void {
    const { v: signature = '', e: fault } = attributesOf(serverFinal)
    if (fault !== undefined) throw new Error(`the broker reports ${fault.slice(0, 100)}`)
    const expected = this.#serverSignature
    const got = Buffer.from(signature, 'base64')
    if (expected === undefined || got.length !== expected.length || !timingSafeEqual(got, expected)) {
      throw new Error('the broker did not prove that it knows the password')
    }
  }

  #hmac(key: Uint8Array, text: string): Buffer {
    return createHmac(this.#user.hash, key).update(text).digest()
  }
}

/** Parses the attributes of a message: `letter=value`, separated by commas. */
function attributesOf(message: string): Readonly<Partial<Record<string, string>>> {
  return Object.fromEntries(
    message
      .split(',')
      .filter((part) => part[1] === '=')
      .map((part) => [part.charAt(0), part.slice(2)]),
  )
}
