import { Button, CopyButton } from '@mantine/core'
import { Check, Copy } from 'lucide-react'
import s from './ui.module.css'

const LINE = /^(\s*(?:- )*)("(?:[^"\\]|\\.)*"|[^\s:"][^:]*?)(:)( .*)?$/
const colourOf = (value: string) =>
  /^"/.test(value) ? 'var(--s-str)' : /^(true|false|null|-?\d+(\.\d+)?)$/.test(value) ? 'var(--s-num)' : undefined

/** YAML as this portal prints it, with its keys coloured and a button to copy it. */
export function YamlBlock({ code, label }: { code: string; label: string }) {
  const text = code.replace(/\n$/, '')
  return (
    <div style={{ position: 'relative' }}>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button
            size="xs"
            variant="default"
            style={{ position: 'absolute', top: 8, right: 8 }}
            leftSection={copied ? <Check size={13} /> : <Copy size={13} />}
            onClick={copy}
          >
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
      <pre className={s.code} tabIndex={0} aria-label={label}>
        <code>
          {text.split('\n').map((line, i) => {
            const found = LINE.exec(line)
            const value = (found?.[4] ?? '').trim()
            return (
              <span key={i}>
                {found ? (
                  <>
                    {found[1]}
                    <span style={{ color: 'var(--s-fn)' }}>{found[2]}</span>
                    {found[3]}
                    <span style={{ color: colourOf(value) }}>{found[4]}</span>
                  </>
                ) : (
                  line
                )}
                {'\n'}
              </span>
            )
          })}
        </code>
      </pre>
    </div>
  )
}
