import { Link } from '@tanstack/react-router'
import { CodeBlock, Panel } from '~/ui/parts'
import ui from '~/ui/ui.module.css'
import type { TabProps } from './EntityPage'
import { toYaml } from './yaml'

export default function DefinitionTab({ entity, entityRef }: TabProps) {
  return (
    <Panel title="Definition" right={<Link to="/runs" search={{ subject: entityRef }} className={ui.cellLink}>Its runs</Link>} pad={12}>
      <CodeBlock code={toYaml(entity)} label="Entity as YAML" />
    </Panel>
  ) // prettier-ignore
}
