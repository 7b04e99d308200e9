import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ScramClient } from '../../../../src/kafka/wire/sasl/scram.ts'

// The examples of RFC 7677 (SHA-256) and of RFC 5802's form for SHA-512.
const NONCE = 'rOprNGfwEbeRWgbNEkqO'
const SERVER_FIRST = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
const PROOF =
  'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='
const SERVER_FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='

function dialogue(): ScramClient {
  return new ScramClient({ hash: 'sha256', username: 'user', password: 'pencil' }, NONCE)
}

test('The messages match the examples of RFC 7677', async () => {
  const client = dialogue()
  assert.equal(client.clientFirst(), `n,,n=user,r=${NONCE}`)
  assert.equal(await client.clientFinal(SERVER_FIRST), PROOF)
  client.verifyServerFinal(SERVER_FINAL)
})

test('A broker that does not prove the password is refused', async () => {
  const client = dialogue()
  assert.throws(() => {
    client.verifyServerFinal(SERVER_FINAL)
  }, /did not prove/)
  await client.clientFinal(SERVER_FIRST)
  for (const final of ['v=AAAA', 'v=', '', SERVER_FINAL.replace('6rri', '6rrj')]) {
    assert.throws(() => {
      client.verifyServerFinal(final)
    }, /did not prove that it knows the password/)
  }
  assert.throws(() => {
    client.verifyServerFinal('e=invalid-proof')
  }, /the broker reports invalid-proof/)
})

test('A nonce that is not extended, iterations out of bounds and a missing salt are refused', async () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    [`r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, /nonce/],
    ['r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096', /nonce/],
    [SERVER_FIRST.replace('i=4096', 'i=4095'), /iterations, got 4095/],
    [SERVER_FIRST.replace('i=4096', 'i=1000000000'), /iterations, got 1000000000/],
    [SERVER_FIRST.replace('i=4096', 'i=x'), /iterations, got x/],
    [SERVER_FIRST.replace(/s=[^,]*/, 's='), /salt/],
    ['', /nonce/],
  ]
  for (const [first, pattern] of refused) await assert.rejects(dialogue().clientFinal(first), pattern, first)
})

test('Commas and equals signs in a user name are escaped', () => {
  const client = new ScramClient({ hash: 'sha512', username: 'a=b,c', password: 'x' }, 'n')
  assert.equal(client.clientFirst(), 'n,,n=a=3Db=2Cc,r=n')
})
