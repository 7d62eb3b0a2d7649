import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState } from 'react'
import { expect, it } from 'vitest'
import type { PickerOptions } from './field-values'
import { RepoUrlPicker } from './RepoUrlPicker'

type Props = Parameters<typeof RepoUrlPicker>[0]
const seen: { value?: string; secrets: Record<string, string> } = { secrets: {} }

function Asked({ options }: { options: PickerOptions }) {
  const [formData, setFormData] = useState<string | undefined>()
  const [secrets, setSecrets] = useState<Record<string, string>>({})
  Object.assign(seen, { value: formData, secrets })
  const formContext = { values: { name: 'shop' }, secrets, setSecret: (k: string, v: string) => setSecrets({ ...secrets, [k]: v }) } // prettier-ignore
  const props = { formData, onChange: setFormData, schema: { title: 'Where' }, name: 'repoUrl', fieldPathId: { $id: 'repoUrl', path: ['repoUrl'] }, uiSchema: { 'ui:options': options }, registry: { formContext } } // prettier-ignore
  return <RepoUrlPicker {...(props as unknown as Props)} />
}
const client = new QueryClient()
client.setQueryData(['forges'], { items: [{ host: 'git.acme.test', forge: 'bitbucket', parts: ['project', 'repo'] }] })
const ask = (options: PickerOptions) => render(<QueryClientProvider client={client}><MantineProvider><Asked options={options} /></MantineProvider></QueryClientProvider>) // prettier-ignore

it('asks for the host where the template names none, and for the parts of that forge', async () => {
  ask({})
  await userEvent.type(screen.getByLabelText('Owner'), 'acme')
  expect(seen.value).toBe('github.com?owner=acme&repo=shop')
  const host = screen.getByLabelText('Host')
  await userEvent.clear(host)
  await userEvent.type(host, 'dev.azure.com')
  await userEvent.type(screen.getByLabelText('Project'), 'p')
  expect(screen.queryByLabelText('Owner')).toBeNull()
  expect(seen.value).toBe('dev.azure.com?organization=&project=p&repo=shop')
})

it('takes a token of the person as a secret, never as an answer', async () => {
  ask({ allowedHosts: ['github.com'], allowedOwners: ['acme'], requestUserCredentials: { secretsKey: 'USER_TOKEN' } })
  await userEvent.type(screen.getByLabelText('Your token on github.com'), 'mine')
  await userEvent.type(screen.getByLabelText('Repository'), '-2')
  expect(screen.queryByLabelText('Host')).toBeNull()
  expect(seen).toEqual({ value: 'github.com?owner=acme&repo=shop-2', secrets: { USER_TOKEN: 'mine' } })
})

it('asks what the server says of a host of its settings', async () => {
  ask({ allowedHosts: ['git.acme.test'] })
  await userEvent.type(screen.getByLabelText('Project'), 'P')
  expect(seen.value).toBe('git.acme.test?project=P&repo=shop')
})
