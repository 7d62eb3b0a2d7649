/** The parts of a .proto file that people look for: services with their methods, messages and enums. Options are passed over. */
import type { ApiModel, Field, Operation, Shape } from './model'

const TOKEN = /\/\/([^\n]*)|\/\*([\s\S]*?)\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\w.]+|[{}()[\]<>;=,:-]|\S/g
type Token = { text: string; note?: string }

/** Tokens, each with the comment that stands right before it. */
function tokens(text: string): Token[] {
  const found: Token[] = []
  let note: string[] = []
  for (const m of text.matchAll(TOKEN)) {
    const comment = m[1] ?? m[2]
    if (comment !== undefined) note.push(comment.replace(/^\s*\*?/gm, '').trim())
    else {
      found.push({ text: m[0], note: note.join(' ').trim() || undefined })
      note = []
    }
  }
  return found
}

export function readProto(text: string): ApiModel {
  const all = tokens(text)
  const groups: ApiModel['groups'] = []
  const shapes: Shape[] = []
  let at = 0
  const peek = () => all[at]?.text
  const next = () => all[at++]
  /** Passes over a block or up to a semicolon, whichever ends the statement. */
  const skip = (block = true) => {
    for (let depth = 0; at < all.length;) {
      const t = next()?.text
      if (t === '{') depth++
      if (t === '}' && --depth <= 0 && block) return
      if (t === ';' && depth <= 0) return
    }
  }
  /** `(stream Name)` */
  const inBrackets = () => {
    const words: string[] = []
    next()
    while (at < all.length && peek() !== ')') words.push(next()?.text ?? '')
    next()
    return words.join(' ')
  }
  const service = (name: string) => {
    const operations: Operation[] = []
    next()
    while (at < all.length && peek() !== '}') {
      const start = next()
      if (start?.text !== 'rpc') {
        if (start?.text !== ';') skip()
        continue
      }
      const method = next()?.text ?? ''
      const asked = inBrackets()
      next() // returns
      const answered = inBrackets()
      if (peek() === '{') skip()
      else next()
      const stream = asked.startsWith('stream') || answered.startsWith('stream')
      operations.push({ id: `${name}.${method}`, verb: stream ? 'stream' : 'rpc', title: method, description: start.note, inputs: [{ name: 'request', type: asked, required: true }], answers: [{ name: 'answers', type: answered }] })
    }
    next()
    groups.push({ name, operations })
  } // prettier-ignore
  const enumeration = (name: string, note?: string) => {
    const values: string[] = []
    next()
    while (at < all.length && peek() !== '}') {
      const word = next()?.text ?? ''
      if (peek() === '=') values.push(word)
      skip(false)
    }
    next()
    shapes.push({ name, what: 'enum', description: note, fields: [], values })
  }
  const message = (name: string, note?: string) => {
    const shape: Shape = { name, what: 'message', description: note, fields: [] }
    shapes.push(shape)
    next()
    body(shape, name, '')
  }
  const body = (shape: Shape, name: string, choice: string) => {
    while (at < all.length && peek() !== '}') {
      const start = next()
      const word = start?.text ?? ''
      if (word === 'message') message(`${name}.${next()?.text ?? ''}`, start?.note)
      else if (word === 'enum') enumeration(`${name}.${next()?.text ?? ''}`, start?.note)
      else if (word === 'oneof') {
        const of = next()?.text ?? ''
        next()
        body(shape, name, of)
      } else if (['option', 'reserved', 'extensions', 'extend', 'group'].includes(word)) skip()
      else if (word !== ';') shape.fields.push(field(word, start?.note, choice))
    }
    next()
  }
  const field = (first: string, note: string | undefined, choice: string): Field => {
    const words = [first]
    while (at < all.length && peek() !== '=' && peek() !== ';') words.push(next()?.text ?? '')
    skip(false)
    const name = words.pop() ?? ''
    const required = words[0] === 'required'
    const type = words.filter((w) => w !== 'required').join(' ').replace(/ ?([<>,]) ?/g, '$1').replace(',', ', ')
    return { name, type, required, description: [note, choice && `one of ${choice}`].filter(Boolean).join('; ') || undefined }
  } // prettier-ignore
  let title: string | undefined
  while (at < all.length) {
    const start = next()
    if (start?.text === 'package') title = peek()
    if (start?.text === 'service') service(next()?.text ?? '')
    else if (start?.text === 'message') message(next()?.text ?? '', start.note)
    else if (start?.text === 'enum') enumeration(next()?.text ?? '', start.note)
    else if (start?.text !== ';') skip()
  }
  return { title, servers: [], groups, shapes }
}
