/** A request to try: sent from here where the page may, else given as a command line. The page's policy stays as it is. */
import { Button, Select, Textarea, TextInput } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { Check, Copy, Send } from 'lucide-react'
import { useState } from 'react'
import { tryRequest } from '~/api/client'
import { CodeBlock } from '~/ui/parts'
import a from './api.module.css'
import type { ApiModel, Operation } from './model'
import { curlOf, requestOf } from './request'

export function TryIt({ operation, servers }: { operation: Operation; servers: ApiModel['servers'] }) {
  const known = servers.map((s) => s.url)
  const [server, setServer] = useState(known[0] ?? '')
  const [values, setValues] = useState<Record<string, string>>({})
  const [authorization, setAuthorization] = useState('')
  const [body, setBody] = useState(() => operation.body?.example === undefined ? '' : JSON.stringify(operation.body.example, null, 2)) // prettier-ignore
  const clipboard = useClipboard({ timeout: 1500 })
  const base = URL.canParse(server, window.location.href) ? new URL(server || '/', window.location.href) : undefined
  const request = requestOf(operation, { server: base?.href ?? server, values, body, authorization })
  const curl = curlOf(request)
  const own = Boolean(server) && base?.origin === window.location.origin
  const missing = operation.inputs.filter((f) => f.required && f.place === 'path' && !values[`path ${f.name}`])
  const attempt = useMutation({ mutationFn: () => tryRequest(request) })
  return (
    <section className={a.try} aria-label={`Try ${operation.id}`}>
      <h3>Try it</h3>
      <div className={a.form}>
        {known.length > 1 ? (
          <Select label="Server" data={known} value={server} onChange={(v) => setServer(v ?? '')} allowDeselect={false} />
        ) : (
          <TextInput label="Server" placeholder="https://api.example.org" value={server} onChange={(e) => setServer(e.currentTarget.value)} />
        )}
        <TextInput label="Authorization" placeholder="Bearer …" autoComplete="off" value={authorization} onChange={(e) => setAuthorization(e.currentTarget.value)} />
        {operation.inputs.map((f) => {
          const key = `${f.place} ${f.name}`
          return <TextInput key={key} label={f.name} required={f.required} description={[f.place, f.type].join(', ')} value={values[key] ?? ''} onChange={(e) => setValues({ ...values, [key]: e.currentTarget.value })} />
        })}
      </div>
      {operation.body && <Textarea label="Body" autosize minRows={3} maxRows={14} value={body} onChange={(e) => setBody(e.currentTarget.value)} styles={{ input: { fontFamily: 'var(--font-mono)' } }} />}
      <CodeBlock code={curl} label="The request as a command" />
      <div className={a.actions}>
        {own && <Button size="xs" leftSection={<Send size={14} />} loading={attempt.isPending} disabled={missing.length > 0} onClick={() => attempt.mutate()}>Send</Button>}
        <Button size="xs" variant="default" leftSection={clipboard.copied ? <Check size={14} /> : <Copy size={14} />} onClick={() => clipboard.copy(curl)}>{clipboard.copied ? 'Copied' : 'Copy the command'}</Button>
        {!own && <span className="t2">{server ? 'This page may call its own address only (its security policy says so): run the command instead.' : 'The definition names no server: write one.'}</span>}
        {missing.length > 0 && <span className="t2">Fill {missing.map((f) => f.name).join(', ')}.</span>}
      </div>
      {attempt.error && <p role="alert" className={a.bad}>No answer from {request.url}: {attempt.error.message}</p>}
      {attempt.data && (
        <div aria-live="polite">
          <h3>{attempt.data.status} <span className="t3 num">{attempt.data.ms} ms</span></h3>
          <CodeBlock code={attempt.data.head} label="Headers of the answer" />
          <CodeBlock code={attempt.data.text || '(empty)'} label="The answer" />
        </div>
      )}
    </section>
  ) // prettier-ignore
}
