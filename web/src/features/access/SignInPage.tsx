import { Alert, Button, PasswordInput, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { KeyRound, LogIn } from 'lucide-react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { waysQuery } from '~/api/access'
import { asApiError, sentence } from '~/api/errors'
import { signIn } from '~/api/mutations'
import { Cli } from '~/ui/parts'
import s from './sign-in.module.css'

const route = getRouteApi('/sign-in')
/** Only paths of this portal: a link with a foreign address must not lead away after signing in. */
export const safeNext = (next: string | undefined): string => (next && /^\/(?![/\\])/.test(next) ? next : '/')

/** The one-time token of `/sign-in#link_token=…`: a fragment is never sent to a server nor written into its log. */
const linkToken = () => new URLSearchParams(window.location.hash.slice(1)).get('link_token') ?? undefined
/** Why a provider's sign-in was refused: a cookie that is read once, since anybody could write an address. */
const takeRefusal = (): string | undefined => {
  const told = /(?:^|; )taxiway_refused="?([^";]+)/.exec(document.cookie)?.[1]
  if (told) document.cookie = 'taxiway_refused=; path=/sign-in; max-age=0'
  return told && decodeURIComponent(told)
}
const withoutFragment = () => window.location.pathname + window.location.search

/** An OpenID provider, a password, or the one-time link that the first start prints: its token is exchanged by POST and leaves the address bar at once. */
export function SignInPage() {
  const { next } = route.useSearch()
  const router = useRouter()
  const client = useQueryClient()
  const [error, setError] = useState(takeRefusal)
  const { data: ways } = useQuery({ ...waysQuery(), retry: false })
  const [busy, setBusy] = useState(false)
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const used = useRef(false)
  // read once: it leaves the address before it is used, so that no history entry and no screenshot keeps it
  const [token] = useState(linkToken)

  const enter = async (body: Parameters<typeof signIn>[0]) => {
    setBusy(true)
    setError(undefined)
    try {
      await signIn(body)
      client.clear()
      await router.navigate({ href: safeNext(next), replace: true })
    } catch (e) {
      setError(asApiError(e).detail)
      setBusy(false)
    }
  }
  useEffect(() => {
    if (!token || used.current) return
    used.current = true
    window.history.replaceState(window.history.state, '', withoutFragment())
    void enter({ link_token: token })
  })
  const submit = (e: FormEvent) => {
    e.preventDefault()
    void enter({ username: name.trim(), password })
  }
  const exchanging = Boolean(token) && !error
  return (
    <main className={s.page}>
      <div className={s.card}>
        <h1>Sign in to Taxiway</h1>
        {error && (
          <Alert color="red" role="alert" variant="light">
            {sentence(error)}
          </Alert>
        )}
        {exchanging ? (
          <p role="status" className="t2">
            Signing in with the one-time link…
          </p>
        ) : (
          <>
            {ways?.items.map((way) => (
              <Button
                key={way.name}
                component="a"
                href={`${way.url}?next=${encodeURIComponent(safeNext(next))}`}
                variant="default"
                leftSection={<KeyRound size={15} />}
                fullWidth
              >
                {`Sign in with ${way.title}`}
              </Button>
            ))}
            <form onSubmit={submit} className={s.form}>
              <TextInput
                label="User name"
                autoComplete="username"
                autoFocus
                required
                value={name}
                onChange={(e) => setName(e.currentTarget.value)}
              />
              <PasswordInput
                label="Password"
                size="sm"
                autoComplete="current-password"
                required
                value={password}
                onChange={(e) => setPassword(e.currentTarget.value)}
              />
              <Button type="submit" loading={busy} leftSection={<LogIn size={15} />} fullWidth>
                Sign in
              </Button>
            </form>
          </>
        )}
        <p className="t2">
          The first start of the server prints a one-time link for its administrator; on its host, <Cli>taxiway login --link</Cli>{' '}
          prints another. For the command line: <Cli>taxiway login URL --token TOKEN</Cli>
        </p>
      </div>
    </main>
  )
}
