/** JSON as readable YAML. Only for display: strings that could be read as something else are quoted. */
const plain = /^[A-Za-z_./@$][\w ./@:$-]*$/
const special = /^(true|false|null|yes|no|on|off|~)$/i

const scalar = (v: unknown): string => {
  if (typeof v !== 'string') return JSON.stringify(v) ?? 'null'
  return plain.test(v) && !special.test(v) && !/: |:$| #/.test(v) && v === v.trim() ? v : JSON.stringify(v)
}
const isEmpty = (v: unknown) =>
  Array.isArray(v) ? v.length === 0 : typeof v === 'object' && v !== null && Object.keys(v).length === 0

export function toYaml(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    if (!value.length) return `${indent}[]\n`
    return value
      .map((v) =>
        typeof v === 'object' && v !== null && !isEmpty(v)
          ? `${indent}- ${toYaml(v, `${indent}  `).slice(indent.length + 2)}`
          : `${indent}- ${isEmpty(v) ? JSON.stringify(v) : scalar(v)}\n`,
      )
      .join('')
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([k, v]) => {
        const key = plain.test(k) ? k : JSON.stringify(k)
        if (typeof v === 'string' && v.includes('\n')) return `${indent}${key}: |\n${v.replace(/\n$/, '').split('\n').map((l) => `${indent}  ${l}`.trimEnd()).join('\n')}\n` // prettier-ignore
        return typeof v === 'object' && v !== null && !isEmpty(v)
          ? `${indent}${key}:\n${toYaml(v, `${indent}  `)}`
          : `${indent}${key}: ${isEmpty(v) ? JSON.stringify(v) : scalar(v)}\n`
      })
      .join('')
  }
  return `${indent}${scalar(value)}\n`
}
