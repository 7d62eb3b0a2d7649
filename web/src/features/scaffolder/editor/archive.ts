/** A tar archive of the files, as `tar xf` reads it: plain ustar headers, no compression. */
import { bytesOf, type EditorFile } from './files'

const BLOCK = 512
const encoder = new TextEncoder()

/** In parts, for one Blob. */
export function tarOf(files: EditorFile[], folder: string): Uint8Array<ArrayBuffer>[] {
  const parts: Uint8Array<ArrayBuffer>[] = []
  for (const file of files) {
    const content = Uint8Array.from(bytesOf(file))
    parts.push(header(`${folder}/${file.path}`, content.length, file.executable), content)
    parts.push(new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK))
  }
  return [...parts, new Uint8Array(2 * BLOCK)]
}

function header(path: string, size: number, executable: boolean): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK)
  const put = (at: number, text: string) => block.set(encoder.encode(text), at)
  const [prefix, name] = halves(path)
  put(0, name)
  put(100, executable ? '0000755\0' : '0000644\0')
  put(108, '0000000\0')
  put(116, '0000000\0')
  put(124, `${size.toString(8).padStart(11, '0')}\0`)
  put(136, `${Math.floor(Date.now() / 1000).toString(8).padStart(11, '0')}\0`) // prettier-ignore
  put(148, '        ')
  put(156, '0')
  put(257, 'ustar\x0000')
  put(345, prefix)
  const sum = block.reduce((n, byte) => n + byte, 0)
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `)
  return block
}

/** A name has 100 bytes in a header, with 155 more before a slash of it. */
function halves(path: string): [string, string] {
  const length = (text: string) => encoder.encode(text).length
  if (length(path) <= 100) return ['', path]
  for (let cut = path.indexOf('/'); cut > 0; cut = path.indexOf('/', cut + 1)) {
    const [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)]
    if (length(name) <= 100 && length(prefix) <= 155) return [prefix, name]
  }
  throw new Error(`The path ${path} is too long for an archive: shorten it`)
}
