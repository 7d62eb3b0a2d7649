import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, it } from 'vitest'
import { calls, find, Refused, start } from '~/test/app'

const AT = '/api/catalog/v1/edits/component/default/orders'
const field = (pointer: string, title: string, shape: string, value: unknown) => ({
  pointer,
  title,
  shape,
  value,
  required: false,
  default_kind: null,
  options: [],
  description: null,
  minimum: null,
  maximum: null,
})
const fields = [field('/metadata/title', 'Title', 'text', 'Orders'), field('/metadata/tags', 'Tags', 'texts', ['python'])]
const source = {
  ref: 'component:default/orders',
  is_editable: true,
  repository: 'shop',
  path: 'catalog-info.yaml',
  branch: 'main',
  etag: 'e1',
  text: 'kind: Component\n',
  fields,
}
const preview = {
  ref: source.ref,
  repository: 'shop',
  path: source.path,
  etag: 'e1',
  title: 't',
  is_changed: true,
  may_commit: false,
  is_protected: true,
  diff: '--- a/catalog-info.yaml\n+++ b/catalog-info.yaml\n@@ -1 +1,2 @@\n kind: Component\n+title: Shop orders\n',
  text: 'kind: Component\ntitle: Shop orders\n',
  fields,
  problems: [],
}

it('shows what a change does before it is proposed, and goes to the pull request', async () => {
  const { router } = start('/catalog/component/default/orders/edit', {
    [`GET ${AT}`]: source,
    [`POST ${AT}/preview`]: preview,
    [`POST ${AT}`]: { repository: 'shop', pull: 7, commit: null },
  })
  const title = await screen.findByRole('textbox', { name: 'Title' }, find)
  expect(screen.getByRole('button', { name: 'Open a pull request' })).toBeDisabled()
  await userEvent.clear(title)
  await userEvent.type(title, 'Shop orders')
  expect(await screen.findByText('title: Shop orders', {}, find)).toBeInTheDocument()
  await waitFor(() => expect(screen.getByRole('button', { name: 'Open a pull request' })).toBeEnabled(), find)
  expect(screen.queryByRole('button', { name: /Commit/ })).toBeNull()
  await userEvent.click(screen.getByRole('button', { name: 'Open a pull request' }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/pulls/shop/7'), find)
  const sent = calls.find((c) => c.method === 'POST' && c.path === AT)
  expect(sent?.body).toEqual({ fields: { '/metadata/title': 'Shop orders' }, how: 'pull' })
  expect(sent?.headers.get('if-match')).toBe('"e1"')
})

it('takes the changes of the form along into the text, and says when the file moved on', async () => {
  start('/catalog/component/default/orders/edit', {
    [`GET ${AT}`]: source,
    [`POST ${AT}/preview`]: preview,
    [`POST ${AT}`]: new Refused(412, { detail: 'it changed since it was read', code: 'catalog.file_moved' }),
  })
  await userEvent.type(await screen.findByRole('textbox', { name: 'Title' }, find), '!')
  await userEvent.click(screen.getByRole('radio', { name: 'YAML' }))
  const text = await screen.findByRole('textbox', { name: 'The document as YAML' }, find)
  expect(text).toHaveValue(preview.text)
  await waitFor(() => expect(screen.getByRole('button', { name: 'Open a pull request' })).toBeEnabled(), find)
  await userEvent.click(screen.getByRole('button', { name: 'Open a pull request' }))
  expect(await screen.findByRole('button', { name: 'Look at it as it is now' }, find)).toBeInTheDocument()
})

it('says why an entity cannot be edited, and what to do', async () => {
  start('/catalog/component/default/orders/edit', {
    [`GET ${AT}`]: { ref: source.ref, is_editable: false, reason: "It is pushed by 'cmdb'.", remedy: 'Change it there.' },
  })
  expect(await screen.findByText("It is pushed by 'cmdb'.", {}, find)).toBeInTheDocument()
  expect(screen.getByText('Change it there.')).toBeInTheDocument()
})

it('writes a declared kind with the apiVersion that the kind names', async () => {
  start('/catalog/add?kind=Warehouse&repository=shop', {
    'GET /api/catalog/v1/kinds': { items: [{ name: 'Warehouse', plural: 'Warehouses', icon: 'package', api_versions: ['example.com/v1'] }] }, // prettier-ignore
    'GET /api/catalog/v1/edits/form': { kind: 'Warehouse', fields: [], kinds: ['Component', 'Warehouse'] },
    'GET /api/forge/v1/repositories': { items: [{ name: 'shop' }], next_cursor: null },
    'POST /api/catalog/v1/edits/preview': preview,
  })
  await userEvent.type(await screen.findByRole('textbox', { name: /^Name/ }, find), 'north')
  const asked = () => calls.filter((c) => c.path === '/api/catalog/v1/edits/preview').at(-1)?.body
  await waitFor(
    () => expect(asked()).toMatchObject({ document: { apiVersion: 'example.com/v1', metadata: { name: 'north' } } }),
    find,
  )
})
