/** JSON as readable YAML. Only for display: strings that could be read as something else are quoted. */
const plain = /^[A-Za-z_./@$][\w ./@:$-]*$/
const special = /^(true|false|null|yes|no|on|off|~)$/i

const scalar = (v: unknown): string => {
  if (typeof v !== 'string') return JSON.stringify(v) ?? 'null'
  return plain.test(v) && !special.test(v) && !/: |:$| #/.test(v) && v === v.trim() ? v : JSON.stringify(v)
}
const isEmpty = (v: unknown) =>
  Array.isArray(v) ? v.length === 0 : typeof v === 'object' && v !== null && Object.keys(v).length === 0

/** A line of the text, and the JSON Pointer of the value that it shows. */
export type YamlLine = { text: string; pointer: string }
const below = (pointer: string, key: string | number) => `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
const isNested = (v: unknown) => typeof v === 'object' && v !== null && !isEmpty(v)

export function yamlLines(value: unknown, indent = '', pointer = ''): YamlLine[] {
  if (isEmpty(value)) return [{ text: `${indent}${JSON.stringify(value)}`, pointer }]
  if (Array.isArray(value))
    return value.flatMap((v, i) => {
      const at = below(pointer, i)
      if (!isNested(v)) return [{ text: `${indent}- ${isEmpty(v) ? JSON.stringify(v) : scalar(v)}`, pointer: at }]
      const [first, ...rest] = yamlLines(v, `${indent}  `, at)
      return first ? [{ ...first, text: `${indent}- ${first.text.slice(indent.length + 2)}` }, ...rest] : rest
    })
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .flatMap(([k, v]) => {
        const at = below(pointer, k)
        const key = plain.test(k) ? k : JSON.stringify(k)
        if (typeof v === 'string' && v.includes('\n'))
          return [`${key}: |`, ...v.replace(/\n$/, '').split('\n').map((l) => `  ${l}`)].map((l) => ({ text: `${indent}${l}`.trimEnd(), pointer: at })) // prettier-ignore
        if (isNested(v)) return [{ text: `${indent}${key}:`, pointer: at }, ...yamlLines(v, `${indent}  `, at)]
        return [{ text: `${indent}${key}: ${isEmpty(v) ? JSON.stringify(v) : scalar(v)}`, pointer: at }]
      })
  return [{ text: `${indent}${scalar(value)}`, pointer }]
}

export const toYaml = (value: unknown): string => yamlLines(value).map((l) => `${l.text}\n`).join('') // prettier-ignore
