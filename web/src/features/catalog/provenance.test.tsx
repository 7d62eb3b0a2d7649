import { fireEvent, screen, within } from '@testing-library/react'
import { expect, it } from 'vitest'
import { find, renderAt, serve } from '~/test/app'
import { base } from '~/test/fixtures'

const PATH = '/api/catalog/v1/provenance/component/default/orders'
const field = { value: 'x', line: null, since_at: 1_700_000_000_000_000, at_least: false, rule: null, over: [], source_id: 'own' }
const source = { precedence: 0, state: 'applied', detail: null, line: 1, lines: 'read', lines_detail: null }
const provenance = {
  ref: 'component:default/orders',
  etag: 'e',
  truncated: false,
  sources: [
    { ...source, id: 'push:cmdb', name: 'push:cmdb', role: 'overlay', precedence: 20, location: 'push:cmdb' },
    { ...source, id: 'own', name: 'file:/srv/shop/orders.yaml', role: 'owner', location: 'file:/srv/shop/orders.yaml' },
    { ...source, id: 'push:bad', name: 'push:bad', role: 'overlay', state: 'refused', detail: '/metadata/tags/0: no tag', location: 'push:bad' },
  ],
  fields: [
    { ...field, pointer: '/kind', value: 'Component', line: 2 },
    { ...field, pointer: '/spec/type', value: 'service', source_id: 'push:cmdb', line: 3, over: [{ source_id: 'own', value: 'website' }] },
    { ...field, pointer: '/properties/tier', source_id: null, rule: 'entity.spec.tier' },
  ],
} // prettier-ignore

it('tells of each line where its value comes from, by keys alone, and of all in a table', async () => {
  serve({ ...base, [`GET ${PATH}`]: provenance })
  renderAt('/catalog/component/default/orders?tab=definition')
  const told = await screen.findByText(/Point at a line/, undefined, find)
  const text = screen.getByLabelText('Entity as YAML')
  const lines = (text.textContent ?? '').split('\n')
  const press = (key: string) => fireEvent.keyDown(text, { key })
  const at = lines.findIndex((l) => l.includes('type:'))
  for (let line = 0; line <= at; line++) press('ArrowDown')
  expect(told).toHaveTextContent(/^spec\.type is from push:cmdb push:cmdb:3 since .* over website …\/shop\/orders\.yaml$/)
  expect(lines[at]).toContain('push:cmdb')
  press('Home')
  press('ArrowDown')
  expect(told).toHaveTextContent('kind is from …/shop/orders.yaml:2')
  fireEvent.click(screen.getByText('Where it comes from'))
  const table = screen.getByRole('table', { name: 'Where each value comes from' })
  expect(within(table).getByText('computed:')).toHaveTextContent('computed: entity.spec.tier')
  expect(screen.getByText('left out')).toBeInTheDocument()
  expect(screen.getByText('/metadata/tags/0: no tag')).toBeInTheDocument()
})

it('shows the document where that cannot be told', async () => {
  serve(base)
  renderAt('/catalog/component/default/orders?tab=definition')
  expect(await screen.findByText('Nothing is here', undefined, find)).toBeInTheDocument()
  expect(screen.getByLabelText('Entity as YAML')).toBeInTheDocument()
})
