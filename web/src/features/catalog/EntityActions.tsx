/** The golden paths for an entity that exists: a menu that leads to their forms, the entity filled in. Nothing where there are none. */
import { Button, Menu } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ChevronDown, Rocket, Zap } from 'lucide-react'
import { offersQuery } from '~/api/golden-paths'
import type { RefParts } from '~/api/refs'

export function EntityActions({ parts, entityRef }: { parts: RefParts; entityRef: string }) {
  const { data } = useQuery({ ...offersQuery(parts), retry: false })
  if (!data?.items.length) return null
  return (
    <Menu position="bottom-end" width={320}>
      <Menu.Target>
        <Button variant="default" leftSection={<Zap size={14} />} rightSection={<ChevronDown size={14} />}>Actions</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {data.items.map((offer) => {
          const [namespace = 'default', name = ''] = offer.template_ref.replace(/^template:/, '').split('/')
          const about = offer.allowed ? offer.description : `Not for you: ${offer.reason}`
          const text = (
            <span>
              <span style={{ display: 'block', fontWeight: 500 }}>{offer.title}</span>
              <span className="t2" style={{ display: 'block', fontSize: 12 }}>{about}</span>
            </span>
          )
          if (!offer.allowed) return <Menu.Item key={offer.template_ref} disabled leftSection={<Rocket size={15} />}>{text}</Menu.Item>
          const search = { formData: JSON.stringify({ [offer.parameter]: entityRef }) }
          return (
            <Menu.Item key={offer.template_ref} component={Link} to={`/create/${namespace}/${name}`} search={search as never} leftSection={<Rocket size={15} />}>
              {text}
            </Menu.Item>
          )
        })}
      </Menu.Dropdown>
    </Menu>
  ) // prettier-ignore
}
