/** Describes an element or a text of the page. */
export type Child = Described | string | null | undefined | false

/** Describes an element: `key` keeps its place in the page while its neighbours change. */
export interface Described {
  readonly tag: string
  readonly key: string | undefined
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly children: readonly (Described | string)[]
}

/** Holds the value of an attribute; functions listen to the event of the name. `undefined` and false leave it out. */
export type Attribute = string | number | boolean | undefined | ((event: Event) => void)

const SVG = 'http://www.w3.org/2000/svg'
const SVG_TAGS = new Set(['svg', 'path', 'line', 'rect', 'title', 'g'])

/** Returns the description of an element. Texts are texts: nothing in them is read as HTML. */
export function h(
  tag: string,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly (Child | readonly Child[])[]
): Described {
  const { key, ...rest } = attributes
  return {
    tag,
    key: typeof key === 'string' ? key : undefined,
    attributes: rest,
    children: children.flat().filter((child): child is Described | string => Boolean(child) || child === ''),
  }
}

interface Listened extends Element {
  kdListeners?: Record<string, (event: Event) => void>
  kdKey?: string
}

/**
 * Makes the content of an element as described. Elements that stay are kept, so that focus, selection and scrolling stay
 * where they are.
 */
export function patch(parent: Element, children: readonly (Described | string)[]): void {
  const keyed = new Map<string, Listened>()
  for (const child of parent.children) {
    const { kdKey } = child as Listened
    if (kdKey !== undefined) keyed.set(kdKey, child)
  }
  let at: ChildNode | null = parent.firstChild
  for (const child of children) {
    const found = typeof child !== 'string' && child.key !== undefined ? keyed.get(child.key) : undefined
    if (found !== undefined && found !== at) parent.insertBefore(found, at)
    const present: ChildNode | null = found ?? at
    const made = place(parent, present, child)
    at = made.nextSibling
  }
  while (at !== null) {
    const next: ChildNode | null = at.nextSibling
    at.remove()
    at = next
  }
}

function place(parent: Element, present: ChildNode | null, child: Described | string): ChildNode {
  if (typeof child === 'string') {
    if (present?.nodeType === 3) {
      if (present.nodeValue !== child) present.nodeValue = child
      return present
    }
    return parent.insertBefore(document.createTextNode(child), present)
  }
  const element = isReusable(present, child) ? present : parent.insertBefore(create(child), present)
  update(element, child)
  return element
}

function isReusable(present: ChildNode | null, { tag, key }: Described): present is Listened {
  return (
    present?.nodeType === 1 && (present as Listened).localName === tag && (present as Listened).kdKey === key
  )
}

function create({ tag, key }: Described): Listened {
  const element: Listened = SVG_TAGS.has(tag)
    ? document.createElementNS(SVG, tag)
    : document.createElement(tag)
  if (key !== undefined) element.kdKey = key
  return element
}

function update(element: Listened, { attributes, children }: Described): void {
  const wanted = new Set<string>()
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') listen(element, name, value)
    else if (value !== undefined && value !== false) {
      wanted.add(name)
      const text = value === true ? '' : String(value)
      if (element.getAttribute(name) !== text) element.setAttribute(name, text)
    }
  }
  for (const { name } of [...element.attributes])
    if (!wanted.has(name) && !(name === 'open' && element.localName === 'details'))
      element.removeAttribute(name)
  patch(element, children)
}

/** Sets the listener of an event; only the last one is called. */
function listen(element: Listened, event: string, listener: (event: Event) => void): void {
  element.kdListeners ??= {}
  if (!(event in element.kdListeners))
    element.addEventListener(event, (happened) => element.kdListeners?.[event]?.(happened))
  element.kdListeners[event] = listener
}
