import type { TopicOverview } from '../snapshot.ts'
import { headersOf } from './stream.ts'
import { h, type Described } from './vdom.ts'

/** A verb that an operator can send for a topic. */
export type Verb = 'pause' | 'resume' | 'flush' | 'optimize'

const QUESTIONS: Readonly<Record<Verb, string>> = {
  pause:
    'Stop reading this topic? Its partitions stay with this process, and the lag grows until you resume it.',
  resume: 'Read this topic again?',
  flush: 'Commit now what is held, however little it is?',
  optimize: 'Pack small files of the table now? It competes with ingestion for memory and the store.',
}

/** Returns the verbs that make sense in the present state of a topic. */
export function verbsFor({ state }: TopicOverview): readonly Verb[] {
  if (state === 'failed' || state === 'ended') return []
  return state === 'paused' ? ['resume', 'optimize'] : ['pause', 'flush', 'optimize']
}

/** Draws a button for each verb; the buttons are there only when admin verbs are enabled and a token is known. */
export function verbButtons(topic: TopicOverview, ask: (verb: Verb) => void): Described {
  return h(
    'p',
    { class: 'verbs' },
    verbsFor(topic).map((verb) =>
      h('button', { key: verb, type: 'button', click: () => ask(verb) }, capitalized(verb)),
    ),
  )
}

/** Asks once in a dialog, sends the verb when it is confirmed, and says what the service answered. */
export function askVerb(verb: Verb, topic: TopicOverview, token: string | undefined): void {
  const dialog = element('dialog', { 'aria-labelledby': 'verb-title' })
  const title = element('h2', { id: 'verb-title' }, `${capitalized(verb)} ${topic.topic}`)
  const text = element('p', { role: 'status' }, QUESTIONS[verb])
  const no = element('button', { type: 'button' }, 'Cancel')
  const yes = element('button', { type: 'button', class: 'primary' }, capitalized(verb))
  no.addEventListener('click', () => dialog.close())
  yes.addEventListener('click', () => {
    yes.remove()
    text.textContent = 'The service works on it …'
    void send(verb, topic.name, token).then((answer) => {
      text.textContent = answer
      no.textContent = 'Close'
      no.focus()
    })
  })
  dialog.addEventListener('close', () => dialog.remove())
  const buttons = element('p', { class: 'verbs' })
  buttons.append(no, yes)
  dialog.append(title, text, buttons)
  document.body.append(dialog)
  dialog.showModal()
}

async function send(verb: Verb, name: string, token: string | undefined): Promise<string> {
  try {
    const url = `admin/topics/${encodeURIComponent(name)}/${verb}`
    const response = await fetch(url, { method: 'POST', headers: headersOf(token) })
    const answer = (await response.json().catch(() => ({}))) as {
      readonly done?: boolean
      readonly reason?: string
      readonly error?: string
    }
    if (response.status === 401) return 'Refused: the service wants another admin token.'
    if (!response.ok) return `Refused: ${answer.error ?? `the service answered ${response.status}`}`
    if (answer.done === true) return 'Done.'
    return `Accepted: ${answer.reason ?? 'it is still running'}`
  } catch {
    return 'The service does not answer. Whether it did it is unknown: look at the state of the topic.'
  }
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>>,
  text = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.textContent = text
  return made
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
