import type { SqlExpression, SqlType } from '../expression/ast.ts'
import { SqlError } from '../expression/error.ts'
import { parseNumberLiteral, parseTypedLiteral } from './literals.ts'
import { tokenizeSql, type SqlToken } from './tokens.ts'
import { parseTypeName } from '../expression/types.ts'

/** Maximum length of an expression in characters, and maximum nesting depth. */
const LENGTH_MAX = 100_000
const DEPTH_MAX = 200

/**
 * Parses one expression like Spark's parser. Precedence from weakest: OR, AND, NOT, predicates, comparison,
 * `|`, `^`, `&`, `+ - ||`, `* / % DIV`, signs. Literals follow Spark 4: `''` within quotes is one quote.
 *
 * @throws SqlError naming the part that cannot be parsed
 */
export function parseSqlExpression(text: string): SqlExpression {
  if (text.length > LENGTH_MAX) throw new SqlError(`longer than ${LENGTH_MAX} characters`)
  const parser = new Parser(tokenizeSql(text))
  const expression = parser.expression()
  parser.finish()
  return expression
}

const PRECEDENCE_LEVELS: readonly (readonly string[])[] = [
  ['=', '==', '<>', '!=', '<', '<=', '!>', '>', '>=', '!<', '<=>'],
  ['|'],
  ['^'],
  ['&'],
  ['+', '-', '||'],
  ['*', '/', '%', 'DIV'],
]
const SYNONYMS: Readonly<Record<string, string>> = { '==': '=', '!=': '<>', '!>': '<=', '!<': '>=' }
/** Functions that are called without parentheses. */
const BARE_FUNCTIONS = new Set(['CURRENT_DATE', 'CURRENT_TIMESTAMP'])
/** Words that cannot be column names: they begin another kind of statement, or something unsupported. */
const UNSUPPORTED_WORDS = new Set(['SELECT', 'EXISTS', 'INTERVAL', 'CURRENT_USER', 'SESSION_USER', 'USER'])
/** Fields of EXTRACT, and the functions that return them. */
const EXTRACT_FUNCTIONS: Readonly<Record<string, string>> = {
  YEAR: 'YEAR',
  QUARTER: 'QUARTER',
  MONTH: 'MONTH',
  WEEK: 'WEEKOFYEAR',
  DAY: 'DAY',
  DAYOFWEEK: 'DAYOFWEEK',
  DOW: 'DAYOFWEEK',
  DOY: 'DAYOFYEAR',
  HOUR: 'HOUR',
  MINUTE: 'MINUTE',
}

class Parser {
  readonly #tokens: readonly SqlToken[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly SqlToken[]) {
    this.#tokens = tokens
  }

  expression(): SqlExpression {
    if (++this.#depth > DEPTH_MAX) throw new SqlError(`nested deeper than ${DEPTH_MAX}`)
    const result = this.#or()
    this.#depth--
    return result
  }

  finish(): void {
    if (this.#peek().kind !== 'end') throw this.#unexpected()
  }

  #or(): SqlExpression {
    let left = this.#and()
    while (this.#takeWord('OR')) left = call('OR', left, this.#and())
    return left
  }

  #and(): SqlExpression {
    let left = this.#not()
    while (this.#takeWord('AND')) left = call('AND', left, this.#not())
    return left
  }

  #not(): SqlExpression {
    let negations = 0
    while (this.#takeWord('NOT') || this.#takeSign('!')) negations++
    let result = this.#predicate()
    for (; negations > 0; negations--) result = call('NOT', result)
    return result
  }

  #predicate(): SqlExpression {
    const value = this.#binary(0)
    if (this.#takeWord('IS')) return this.#is(value)
    const negated = this.#takeWord('NOT')
    const result = this.#positive(value)
    if (result === undefined) {
      if (negated) throw this.#unexpected()
      return value
    }
    return negated ? call('NOT', result) : result
  }

  #positive(value: SqlExpression): SqlExpression | undefined {
    if (this.#takeWord('BETWEEN')) {
      const low = this.#binary(0)
      this.#needWord('AND')
      return call('AND', call('>=', value, low), call('<=', value, this.#binary(0)))
    }
    if (this.#takeWord('IN')) {
      this.#needSign('(')
      return call('IN', value, ...this.#list(')'))
    }
    if (this.#takeWord('RLIKE') || this.#takeWord('REGEXP')) return call('RLIKE', value, this.#binary(0))
    const name = this.#takeWord('LIKE') ? 'LIKE' : this.#takeWord('ILIKE') ? 'ILIKE' : undefined
    if (name === undefined) return undefined
    if (this.#isWord('ANY') || this.#isWord('SOME') || this.#isWord('ALL'))
      throw new SqlError(`${name} ${this.#peek().text} is not supported`)
    const pattern = this.#binary(0)
    return this.#takeWord('ESCAPE') ? call(name, value, pattern, this.#primary()) : call(name, value, pattern)
  }

  #is(value: SqlExpression): SqlExpression {
    const negated = this.#takeWord('NOT')
    const wrap = (result: SqlExpression): SqlExpression => (negated ? call('NOT', result) : result)
    if (this.#takeWord('NULL')) return wrap(call('IS NULL', value))
    if (this.#takeWord('UNKNOWN')) return wrap(call('IS NULL', value))
    if (this.#takeWord('TRUE')) return wrap(call('<=>', value, TRUE))
    if (this.#takeWord('FALSE')) return wrap(call('<=>', value, FALSE))
    if (!this.#takeWord('DISTINCT')) throw this.#unexpected()
    this.#needWord('FROM')
    const same = call('<=>', value, this.#binary(0))
    return negated ? same : call('NOT', same)
  }

  #binary(level: number): SqlExpression {
    const operators = PRECEDENCE_LEVELS[level]
    if (operators === undefined) return this.#unary()
    let left = this.#binary(level + 1)
    for (;;) {
      const token = this.#peek()
      const operator = token.kind === 'word' ? token.text.toUpperCase() : token.text
      const isOperator = token.kind === 'sign' || (token.kind === 'word' && operator === 'DIV')
      if (!isOperator || !operators.includes(operator)) return left
      this.#at++
      left = call(SYNONYMS[operator] ?? operator, left, this.#binary(level + 1))
    }
  }

  #unary(): SqlExpression {
    if (++this.#depth > DEPTH_MAX) throw new SqlError(`nested deeper than ${DEPTH_MAX}`)
    const result = this.#signed()
    this.#depth--
    return result
  }

  #signed(): SqlExpression {
    if (this.#takeSign('-')) {
      const token = this.#peek()
      if (token.kind !== 'number') return call('NEGATIVE', this.#unary())
      this.#at++
      return this.#postfix(parseNumberLiteral(token.text, true))
    }
    if (this.#takeSign('+')) return call('POSITIVE', this.#unary())
    if (this.#takeSign('~')) return call('~', this.#unary())
    return this.#primary()
  }

  #primary(): SqlExpression {
    return this.#postfix(this.#atom())
  }

  #postfix(value: SqlExpression): SqlExpression {
    let result = value
    for (;;) {
      if (this.#takeSign('::')) result = { kind: 'cast', value: result, type: this.#type() }
      else if (this.#isSign('.') && result.kind === 'column') {
        this.#at++
        result = { kind: 'column', path: [...result.path, this.#name()] }
      } else if (this.#isSign('.') || this.#isSign('[')) {
        throw new SqlError(
          'elements of arrays and maps, and fields of expressions other than columns, are not supported',
        )
      } else return result
    }
  }

  #atom(): SqlExpression {
    const token = this.#peek()
    this.#at++
    switch (token.kind) {
      case 'number':
        return parseNumberLiteral(token.text, false)
      case 'string':
        return this.#strings(token.text)
      case 'quoted':
        return this.#isSign('(') ? this.#call(token.text) : { kind: 'column', path: [token.text] }
      case 'word':
        return this.#word(token)
      default:
        if (token.text !== '(') throw this.#unexpected(token)
    }
    const inner = this.expression()
    this.#needSign(')')
    return inner
  }

  #strings(first: string): SqlExpression {
    let value = first
    for (; this.#peek().kind === 'string'; this.#at++) value += this.#peek().text
    return { kind: 'literal', type: 'string', value }
  }

  #word(token: SqlToken): SqlExpression {
    const word = token.text.toUpperCase()
    if (this.#peek().kind === 'string' && word !== 'CASE') {
      const { text } = this.#peek()
      this.#at++
      return parseTypedLiteral(word, text)
    }
    if (UNSUPPORTED_WORDS.has(word)) throw new SqlError(`${word} is not supported`)
    if (this.#isSign('(')) return this.#special(word) ?? this.#call(token.text)
    if (this.#isSign('.')) return { kind: 'column', path: [token.text] }
    switch (word) {
      case 'NULL':
        return { kind: 'literal', type: 'void', value: null }
      case 'TRUE':
        return TRUE
      case 'FALSE':
        return FALSE
      case 'CASE':
        return this.#case()
      default:
        return BARE_FUNCTIONS.has(word) ? call(word) : { kind: 'column', path: [token.text] }
    }
  }

  #call(name: string): SqlExpression {
    this.#needSign('(')
    if (this.#isWord('DISTINCT')) throw new SqlError(`${name}(DISTINCT …) is not supported`)
    return call(name.toUpperCase(), ...(this.#takeSign(')') ? [] : this.#list(')')))
  }

  /** Parses calls whose arguments are separated by keywords. Returns `undefined` for any other call. */
  #special(word: string): SqlExpression | undefined {
    if (word === 'CAST') return this.#cast()
    const start = this.#at
    this.#at++
    if (word === 'EXTRACT') {
      const part = this.#name().toUpperCase()
      this.#needWord('FROM')
      const name = EXTRACT_FUNCTIONS[part]
      if (name === undefined) throw new SqlError(`EXTRACT of ${part} is not supported`)
      return this.#closed(call(name, this.expression()))
    }
    if (word === 'TRIM') {
      const side = ['BOTH', 'LEADING', 'TRAILING'].find((one) => this.#takeWord(one)) ?? 'BOTH'
      const characters = this.#takeWord('FROM') ? undefined : this.expression()
      const name = side === 'BOTH' ? 'TRIM' : side === 'LEADING' ? 'LTRIM' : 'RTRIM'
      if (characters === undefined) return this.#closed(call(name, this.expression()))
      if (this.#takeWord('FROM')) return this.#closed(call(name, characters, this.expression()))
    } else if (word === 'SUBSTRING' || word === 'SUBSTR') {
      const text = this.expression()
      if (this.#takeWord('FROM')) {
        const from = this.expression()
        const args = this.#takeWord('FOR') ? [text, from, this.expression()] : [text, from]
        return this.#closed(call('SUBSTRING', ...args))
      }
    }
    this.#at = start
    return undefined
  }

  #closed(result: SqlExpression): SqlExpression {
    this.#needSign(')')
    return result
  }

  #cast(): SqlExpression {
    this.#needSign('(')
    const value = this.expression()
    this.#needWord('AS')
    const type = this.#type()
    this.#needSign(')')
    return { kind: 'cast', value, type }
  }

  #type(): SqlType {
    const name = this.#name()
    const sizes: number[] = []
    if (this.#takeSign('(')) {
      do sizes.push(this.#count())
      while (this.#takeSign(','))
      this.#needSign(')')
    }
    if (this.#isSign('<')) throw new SqlError(`the type ${name}<…> is not supported`)
    return parseTypeName(name, sizes)
  }

  #count(): number {
    const token = this.#peek()
    if (token.kind !== 'number' || !/^\d+$/.test(token.text)) throw this.#unexpected()
    this.#at++
    return Number(token.text)
  }

  #case(): SqlExpression {
    const operand = this.#isWord('WHEN') ? undefined : this.expression()
    const branches: { when: SqlExpression; then: SqlExpression }[] = []
    while (this.#takeWord('WHEN')) {
      const condition = this.expression()
      this.#needWord('THEN')
      const when = operand === undefined ? condition : call('=', operand, condition)
      branches.push({ when, then: this.expression() })
    }
    if (branches.length === 0) throw this.#unexpected()
    const otherwise = this.#takeWord('ELSE') ? this.expression() : undefined
    this.#needWord('END')
    return { kind: 'case', branches, otherwise }
  }

  #list(close: string): SqlExpression[] {
    const items = [this.expression()]
    while (this.#takeSign(',')) items.push(this.expression())
    this.#needSign(close)
    return items
  }

  #name(): string {
    const token = this.#peek()
    if (token.kind !== 'word' && token.kind !== 'quoted') throw this.#unexpected()
    this.#at++
    return token.text
  }

  #peek(): SqlToken {
    return this.#tokens[this.#at] ?? (this.#tokens.at(-1) as SqlToken)
  }

  #isWord(word: string): boolean {
    const token = this.#peek()
    return token.kind === 'word' && token.text.toUpperCase() === word
  }

  #isSign(sign: string): boolean {
    const token = this.#peek()
    return token.kind === 'sign' && token.text === sign
  }

  #takeWord(word: string): boolean {
    const taken = this.#isWord(word)
    if (taken) this.#at++
    return taken
  }

  #takeSign(sign: string): boolean {
    const taken = this.#isSign(sign)
    if (taken) this.#at++
    return taken
  }

  #needWord(word: string): void {
    if (!this.#takeWord(word)) throw this.#unexpected(this.#peek(), word)
  }

  #needSign(sign: string): void {
    if (!this.#takeSign(sign)) throw this.#unexpected(this.#peek(), sign)
  }

  #unexpected(token: SqlToken = this.#peek(), expected?: string): SqlError {
    const expectation = expected === undefined ? '' : ` where ${expected} was expected`
    return new SqlError(`${token.text} at character ${token.at + 1} is not understood${expectation}`)
  }
}

function call(name: string, ...args: readonly SqlExpression[]): SqlExpression {
  return { kind: 'call', name, args }
}

const TRUE: SqlExpression = { kind: 'literal', type: 'boolean', value: true }
const FALSE: SqlExpression = { kind: 'literal', type: 'boolean', value: false }
